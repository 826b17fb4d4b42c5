import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from './call.js'
import type { JsonRpcResponse } from './webhook-types.js'

/**
 * Every text of a tool's result: of text blocks, of embedded resources, and the strings in `structuredContent`. A block that
 * repeats `structuredContent` as JSON counts as the structure alone.
 */
export function readTexts(body: JsonRpcResponse): readonly string[] {
  const texts: string[] = []
  replaceTexts(body, (text) => {
    texts.push(text)
    return text
  })
  return texts
}

/**
 * The response with every such text put through `change`. Where a block repeats `structuredContent` as JSON, it is made anew
 * from what the structure became: nothing stays behind in the other copy. Keys, images and other payloads stay as they are.
 */
export function replaceTexts(body: JsonRpcResponse, change: (text: string) => string): JsonRpcResponse {
  const { structuredContent: before, content } = body.result
  const after = before === undefined ? undefined : inStrings(before, change)
  const blocks = Array.isArray(content)
    ? content.map((block) =>
        isMirror(block, before) ? { ...block, text: write(block, after) } : inBlock(block, change),
      )
    : content
  return withResult(body, { structuredContent: after, content: blocks })
}

/**
 * The data in a tool's result: `structuredContent`, or else what the first text block holds as JSON. Undefined when there is
 * neither an object nor a list.
 */
export function readData(body: JsonRpcResponse): Json | undefined {
  const { structuredContent } = body.result
  return structuredContent ?? parse(textBlocks(body)[0])
}

/** Whether the result says something in text, or in a resource, that is no copy of its data, and may so repeat any of it. */
export function hasTextBesideData(body: JsonRpcResponse): boolean {
  const data = readData(body)
  const { content } = body.result
  return (
    Array.isArray(content) &&
    content.some((block) => !isMirror(block, data) && readTexts(alone(body, block)).length > 0)
  )
}

const alone = (body: JsonRpcResponse, block: Json): JsonRpcResponse => ({ ...body, result: { content: [block] } })

/** The response with other data in it, in `structuredContent` and in every text block that repeats the old as JSON. */
export function replaceData(body: JsonRpcResponse, data: Json): JsonRpcResponse {
  const before = readData(body)
  const { structuredContent, content } = body.result
  const blocks = Array.isArray(content)
    ? content.map((block) => (isMirror(block, before) ? { ...block, text: write(block, data) } : block))
    : content
  return withResult(body, { structuredContent: structuredContent === undefined ? undefined : data, content: blocks })
}

/** Only what the result already had is set. */
function withResult(body: JsonRpcResponse, changed: JsonObject): JsonRpcResponse {
  const kept = Object.entries(changed).filter(([key]) => key in body.result)
  return { ...body, result: { ...body.result, ...Object.fromEntries(kept) } }
}

type TextBlock = JsonObject & { readonly type: 'text'; readonly text: string }

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (block: Json): block is TextBlock =>
  isObject(block) && block['type'] === 'text' && typeof block['text'] === 'string'

const textBlocks = ({ result: { content } }: JsonRpcResponse): readonly TextBlock[] =>
  Array.isArray(content) ? (content as readonly Json[]).filter(isText) : []

const isMirror = (block: Json, data: Json | undefined): block is TextBlock =>
  data !== undefined && isText(block) && isDeepStrictEqual(parse(block), data)

function parse(block: TextBlock | undefined): Json | undefined {
  try {
    const data = JSON.parse(block?.text ?? '') as Json
    return typeof data === 'object' && data !== null ? data : undefined
  } catch {
    return undefined
  }
}

/** As the server wrote it: in one line, or indented. */
const write = ({ text }: TextBlock, data: Json | undefined): string =>
  JSON.stringify(data, null, text.includes('\n') ? 2 : 0)

function inBlock(block: Json, change: (text: string) => string): Json {
  if (isText(block)) return { ...block, text: change(block.text) }
  const resource = isObject(block) ? block['resource'] : undefined
  if (!isObject(block) || !isObject(resource) || typeof resource['text'] !== 'string') return block
  return { ...block, resource: { ...resource, text: change(resource['text']) } }
}

function inStrings(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => inStrings(item, change))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, inner === undefined ? undefined : inStrings(inner, change)]),
  )
}
