import type { HookName } from '@gatehouse/sdk'

/**
 * For the two hooks that every call asks: whether an answer surely fits its schema, told without running it. What is not
 * told here is parsed; a test holds that nothing passes here that the schema refuses.
 */
export const QUICK: Partial<Record<HookName, (answer: unknown) => boolean>> = {
  'auth.identify': (answer) => {
    const { kind, hash } = (answer ?? {}) as { kind?: unknown; hash?: unknown }
    return kind === 'notMine' || (kind === 'token' && typeof hash === 'string' && HASH.test(hash))
  },
  'engine.evaluate': (answer) => isPlain(answer) && isQuickly(answer),
}

const HASH = /^[0-9a-f]{64}$/

type Fields = Readonly<Record<string, unknown>>

const isPlain = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** What changes a message, or finds much in it, is parsed. */
function isDecision({ verdict, findings, reason, message }: Fields): boolean {
  if (verdict === 'findings') return Array.isArray(findings) && findings.length === 0
  if (verdict === 'block') return typeof reason === 'string'
  return verdict === 'pass' || (verdict === 'undecided' && typeof message === 'string')
}

/** What an engine may tell besides. */
const BESIDE: Readonly<Record<string, (value: unknown) => boolean>> = {
  counts: (value) => isPlain(value) && Object.values(value).every((n) => Number.isSafeInteger(n) && (n as number) >= 1),
  evidence(value) {
    if (!isPlain(value)) return false
    const keys = Object.keys(value)
    return keys.length <= 16 && keys.every((key) => key.length <= 64 && isTold(value[key]))
  },
  recorded: isPlain,
  strike: (value) => typeof value === 'string' && value.length <= 500,
  ms: isAmount,
  rest: (value) => Array.isArray(value) && value.every((one) => isPlain(one) && !('rest' in one) && isQuickly(one)),
}

const fitsIn = (answer: Fields) => (key: string) => !Object.hasOwn(BESIDE, key) || BESIDE[key]?.(answer[key]) === true
const isQuickly = (answer: Fields): boolean => isDecision(answer) && Object.keys(answer).every(fitsIn(answer))
const isTold = (value: unknown) => (typeof value === 'string' ? value.length <= 200 : Number.isFinite(value))

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value)
}
