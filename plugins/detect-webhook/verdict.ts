import type { Json, JsonObject } from '@gatehouse/sdk'

const WORDS = ['pass', 'block', 'modify', 'error'] as const
type Word = (typeof WORDS)[number]

/** What an engine says. `body` is not looked at yet. */
export type Said =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'block'; readonly reason: string }
  | { readonly verdict: 'modify'; readonly body: Json }
  | { readonly verdict: 'error'; readonly message: string }

/** What is wrong, in words that hold nothing of the message or of the answer. */
export interface Invalid {
  readonly invalid: string
}

/** Other names of `verdict`, which count where they carry one of its words. */
const ALIASES = ['action', 'result', 'status', 'decision']

/** Reads the body of an answer. Neither its content type nor what else stands in it matters. */
export function readVerdict(bytes: Uint8Array): Said | Invalid {
  if (bytes.length === 0) return { invalid: 'the answer is empty' }
  const answer = parse(bytes)
  if (answer === undefined) return { invalid: 'the answer is not JSON' }
  if (!isObject(answer)) return { invalid: 'the answer is not a JSON object' }
  const word = wordOf(answer)
  if (typeof word === 'object') return word
  switch (word) {
    case 'pass':
      return { verdict: 'pass' }
    case 'block':
      return { verdict: 'block', reason: sentence(answer['reason'], 500) }
    case 'error':
      return { verdict: 'error', message: sentence(answer['message'], 500) }
    case 'modify':
      return readModify(answer['modifiedPayload'])
  }
}

function wordOf(answer: JsonObject): Word | Invalid {
  const aliases = ALIASES.map((name) => answer[name]).filter(isWord)
  const { verdict } = answer
  if (verdict !== undefined && !isWord(verdict)) return { invalid: 'the verdict is not pass, block, modify or error' }
  const words = new Set(verdict === undefined ? aliases : [verdict, ...aliases])
  const [word] = words
  if (word === undefined) return { invalid: 'the answer has no verdict' }
  return words.size === 1 ? word : { invalid: 'the answer has two verdicts that disagree' }
}

function readModify(payload: Json | undefined): Said | Invalid {
  const body = isObject(payload) ? payload['body'] : undefined
  if (body === undefined) return { invalid: 'the verdict is modify, but there is no modifiedPayload.body' }
  return { verdict: 'modify', body }
}

function parse(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json
  } catch {
    return undefined
  }
}

/** What a person will read, on one line. */
function sentence(value: Json | undefined, length: number): string {
  if (typeof value !== 'string') return ''
  return value
    .slice(0, 4 * length)
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, length)
}

const isWord = (value: Json | undefined): value is Word => WORDS.some((word) => word === value)
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
