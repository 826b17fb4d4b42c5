import type { Json, JsonObject } from '@gatehouse/sdk'
import type { RuleInput, RuleManifest, RuleVector } from '@gatehouse/sdk/rule-abi'

/** What a rule is shown of a message, with whatever is not given made up: for trials. */
export function inputOf(given: Partial<RuleVector['input']>): RuleInput {
  const leg = given.leg ?? 'request'
  const message = (given.message ?? {}) as JsonObject
  const texts: string[] = []
  const keys: string[] = []
  collect(message, { leg, texts, keys })
  return { version: 1, leg, call: { ...madeUp, ...given.call } as RuleInput['call'], message, texts, keys }
}

const madeUp: RuleInput['call'] = {
  id: '01900000-0000-7000-8000-000000000000',
  gateway: 'test',
  server: 'test',
  user: 'user@example.com',
  host: 'test',
  method: 'tools/call',
  era: 'modern',
  feature: { kind: 'tool', name: 'test' },
  attributes: {},
  time: 1_767_225_600_000,
}

/**
 * Every text in order, and every key. Left out are base64 (`data`, `blob`), what stands in `_meta`, the name or URI that a request asks
 * for, and the marks of content. The gateway looks closer; for trials this does.
 */
function collect(message: JsonObject, { leg, texts, keys }: Collected): void {
  rewriteTexts(message, leg, {
    text: (text) => {
      texts.push(text)
      return text
    },
    key: (key) => void keys.push(key),
  })
}

interface Collected {
  readonly leg: RuleInput['leg']
  readonly texts: string[]
  readonly keys: string[]
}

/** The message with other texts in place of those of these numbers. */
export function replaceTexts(
  message: JsonObject,
  leg: RuleInput['leg'],
  changed: ReadonlyMap<number, string>,
): JsonObject {
  let index = -1
  return rewriteTexts(message, leg, { text: (text) => changed.get((index += 1)) ?? text, key() {} })
}

interface Walker {
  text(text: string): string
  key(key: string): void
}

function rewriteTexts(message: JsonObject, leg: RuleInput['leg'], walker: Walker): JsonObject {
  const marks = leg === 'request' ? NAMES : MARKS
  const walk = (value: Json | undefined, isTop: boolean): Json | undefined => {
    if (typeof value === 'string') return walker.text(value)
    if (Array.isArray(value)) return (value as Json[]).map((item) => walk(item, false) ?? null)
    if (typeof value !== 'object' || value === null) return value
    const isMark = (key: string, item: Json | undefined): boolean =>
      typeof item === 'string' && (PAYLOADS.has(key) || ((isTop || leg === 'response') && marks.has(key)))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        if (key === '_meta' || isMark(key, item)) return [key, item]
        walker.key(key)
        return [key, walk(item, false)]
      }),
    )
  }
  return walk(message, true) as JsonObject
}

const PAYLOADS = new Set(['data', 'blob'])
const NAMES = new Set(['name', 'uri'])
const MARKS = new Set(['type', 'mimeType', 'uri'])

/** What a rule reads: the parts of the input that its manifest asks for. */
export function showInput(input: RuleInput, wants: RuleManifest['input']): string {
  const { version, leg, call, message, texts, keys } = input
  if (!wants.includes('texts')) return JSON.stringify({ version, leg, call, message })
  if (!wants.includes('message')) return JSON.stringify({ version, leg, call, texts, keys })
  return JSON.stringify({ version, leg, call, message, texts, keys })
}

/** The same in bytes. */
export const encodeInput = (input: RuleInput, wants: RuleManifest['input']): Uint8Array =>
  Buffer.from(showInput(input, wants), 'utf8')
