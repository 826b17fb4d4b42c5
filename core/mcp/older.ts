import type { Json, JsonObject } from '@gatehouse/sdk'
import { isObject } from './message.js'

/**
 * Content that a client's revision does not know yet, in terms that it does: a link to a resource (since 2025-06-18) as a
 * text, audio (since 2025-03-26) as an embedded resource. The same object comes back when nothing has to change.
 */
export function forOlder(result: JsonObject, version: string): JsonObject {
  if (version >= '2025-06-18') return result
  const content = mapped(result.content, version)
  const messages = Array.isArray(result.messages) ? result.messages.map((one) => messageFor(one, version)) : null
  const isSame =
    content === result.content && (messages?.every((one, at) => one === (result.messages as Json[])[at]) ?? true)
  if (isSame) return result
  return { ...result, ...(content === undefined ? {} : { content }), ...(messages === null ? {} : { messages }) }
}

function messageFor(message: Json, version: string): Json {
  if (!isObject(message)) return message
  const { content } = message
  const own = Array.isArray(content)
    ? mapped(content, version)
    : isObject(content)
      ? blockFor(content, version)
      : content
  return own === content ? message : { ...message, content: own }
}

function mapped(content: Json | undefined, version: string): Json | undefined {
  if (!Array.isArray(content)) return content
  const blocks = content as readonly Json[]
  const own = blocks.map((block) => blockFor(block, version))
  return own.some((block, at) => block !== blocks[at]) ? own : content
}

function blockFor(block: Json, version: string): Json {
  if (!isObject(block)) return block
  if (block.type === 'resource_link') return { type: 'text', text: textOf(block) }
  if (block.type !== 'audio' || version >= '2025-03-26') return block
  const { data, mimeType } = block
  return { type: 'resource', resource: { uri: 'audio:embedded', blob: data, mimeType } }
}

function textOf({ title, name, uri, description }: JsonObject): string {
  const named = [title ?? name, uri].filter((part) => typeof part === 'string').join(': ')
  return typeof description === 'string' ? `${named}\n${description}` : named
}
