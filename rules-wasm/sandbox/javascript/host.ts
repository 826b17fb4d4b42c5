import type { Capabilities, Purse } from '../capabilities.js'
import { RuleFault } from '../fault.js'
import { isTorn } from '../text.js'

/** What a call of the host costs, and each byte that goes there, in units of the interpreter. */
const CALL_COST = 10_000
const BYTE_COST = 20

export interface Host {
  /** When the call began, as the rule was told. */
  readonly now: number
  /** Forgets the former run. */
  begin(): void
  /** A question is JSON, and so is the answer; null is `undefined`. Throws `RuleFault`. */
  answer(question: Uint8Array): string | null
}

/**
 * The host's side of the prelude; `purse` is of units of the interpreter. A rule can make the prelude ask anything, so nothing of a question is taken for granted; which capabilities
 * are there is checked here again.
 */
export function hostOf(capabilities: Capabilities, granted: readonly string[], purse: Purse): Host {
  let now = 0
  const operations: Readonly<Record<string, (values: Values) => unknown>> = {
    time: (values) => void (now = values.number(1)),
    ...(granted.includes('config') && {
      config: (values: Values) => capabilities.readConfig(values.text(1)) ?? null,
    }),
    ...(granted.includes('log') && {
      log: (values: Values) => void capabilities.log(values.number(1), encoder.encode(values.words(2))),
    }),
    ...(granted.includes('kv') && {
      'kv.get': (values: Values) => capabilities.store.get(values.text(1)),
      'kv.set': (values: Values) => capabilities.store.set(values.text(1), values.text(2), values.whole(3)),
      'kv.delete': (values: Values) => void capabilities.store.delete(values.text(1)),
    }),
    ...(granted.includes('counters') && {
      counter: (values: Values) => void capabilities.count(values.text(1), values.whole(2)),
    }),
    ...(granted.includes('regex') && { regex: (values: Values) => look(capabilities, values, purse) }),
  }
  return {
    get now() {
      return now
    },
    begin: () => void (now = 0),
    answer(question) {
      purse.charge(CALL_COST + BYTE_COST * question.length)
      const values = valuesOf(question)
      const name = values.text(0)
      if (!Object.hasOwn(operations, name)) throw new RuleFault('trap', 'asked the host for what it does not have')
      const answer = operations[name]?.(values)
      return answer === undefined ? null : JSON.stringify(answer)
    },
  }
}

interface Values {
  /** Whole characters. */
  text(index: number): string
  /** Whatever JavaScript takes for a text. */
  words(index: number): string
  number(index: number): number
  whole(index: number): number
}

function valuesOf(question: Uint8Array): Values {
  const values = parse(question)
  const words = (index: number) => check(values[index], 'string') as string
  const number = (index: number) => check(values[index], 'number') as number
  return {
    text(index) {
      const text = words(index)
      if (isTorn(text)) throw new RuleFault('trap', 'gave the host half of a character')
      return text
    },
    words,
    number,
    whole: (index) => (Number.isSafeInteger(number(index)) ? number(index) : refuse()),
  }
}

function parse(question: Uint8Array): readonly unknown[] {
  try {
    const values: unknown = JSON.parse(decoder.decode(question))
    if (Array.isArray(values)) return values
  } catch {
    // It is told below.
  }
  return refuse()
}

function check(value: unknown, type: 'string' | 'number'): unknown {
  return typeof value === type ? value : refuse()
}

function refuse(): never {
  throw new RuleFault('trap', 'asked the host in a way that it does not know')
}

/** `from`, and what comes of it, count UTF-16 code units; patterns count bytes. False: there is no such pattern. */
function look(capabilities: Capabilities, values: Values, purse: Purse) {
  const [id, text, from] = [values.text(1), values.words(2), values.number(3)]
  const bytes = Buffer.from(text, 'utf8')
  const start = from > text.length ? bytes.length + 1 : Buffer.byteLength(text.slice(0, from))
  purse.charge(UNITS_PER_FUEL * bytes.length)
  const match = capabilities.match(id, bytes, start, {
    left: () => purse.left() / UNITS_PER_FUEL,
    charge: (fuel) => purse.charge(UNITS_PER_FUEL * fuel),
  })
  if (match === undefined) return false
  const { found } = match
  if (found === null) return null
  const [first, last] = found.map((at) => bytes.toString('utf8', 0, at).length)
  return { start: first, end: last }
}

/** How many units of the interpreter make one unit of a rule's fuel: it takes about as many to do the work of one instruction. */
export const UNITS_PER_FUEL = 10

const encoder = new TextEncoder()
const decoder = new TextDecoder()
