import type { Random } from './random.js'

/** JSON as it may be written and not only as it may be meant: keys given twice, numbers by their digits, broken texts. */
export type Odd = null | boolean | number | string | readonly Odd[] | Pairs | Raw

/** An object as its pairs in order, the same key perhaps twice. */
export class Pairs {
  constructor(readonly pairs: readonly (readonly [string, Odd])[]) {}
}
/** Stands in the text as it is. */
export class Raw {
  constructor(readonly text: string) {}
}

export function oddOf(value: unknown): Odd {
  if (Array.isArray(value)) return value.map(oddOf)
  if (typeof value === 'object' && value !== null)
    return new Pairs(
      Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, oddOf(item)] as const])),
    )
  return value as Odd
}

export function writeOdd(value: Odd): string {
  if (value instanceof Raw) return value.text
  if (value instanceof Pairs)
    return `{${value.pairs.map(([key, item]) => `${JSON.stringify(key)}:${writeOdd(item)}`).join(',')}}`
  if (Array.isArray(value)) return `[${(value as readonly Odd[]).map(writeOdd).join(',')}]`
  return JSON.stringify(value)
}

const deep = (open: string, close: string, depth: number) => new Raw(open.repeat(depth) + close.repeat(depth))

/** Looks like the mark that a number travels with in the gateway. */
const FORGED = '\ue000gggggggggggggggg:1'

/** Whether such a mark stands in a text: not the forged one, nor what is left of it when it was bent on the way. */
export const showsMark = (text: string): boolean =>
  [...text.matchAll(/\ue000([g-v]{16}):/g)].some(([, letters = '']) => letters.replaceAll('g', '').length > 6)

/** What implementations trip over, wherever it stands. */
export const ODDITIES: readonly Odd[] = [
  ...[null, true, false, 0, -1, 1, 1.5, 1e300, 2 ** 53, '', ' ', '0', '1', 'null', '2.0'],
  ...['9007199254740993', '-9007199254740993', '1e999', '-0', '1.0', '1e02', '0.10000000000000000001', '1E-400'].map(
    (digits) => new Raw(digits),
  ),
  ...['"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"a\\u2028b"', '"\\ufeff"'].map((text) => new Raw(text)),
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '../../etc/passwd', '\r\nX: 1', 'a\nb'],
  ...['\u{1f4a5}', 'x'.repeat(300), '%00', '${env:KEY_MIA}', FORGED, '2026-07-28', '2025-11-25'],
  [],
  [null],
  [[]],
  new Pairs([]),
  new Pairs([['__proto__', new Pairs([['polluted', true]])]]),
  new Pairs([['toJSON', 1]]),
  deep('[', ']', 40),
  new Raw(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`),
]

/** So deep that whatever walks it by recursion runs out of stack. Rare, as each costs its share of time. */
export const ABYSSES: readonly Odd[] = [
  deep('[', ']', 9_000),
  new Raw(`${'{"a":'.repeat(6_000)}0${'}'.repeat(6_000)}`),
  deep('[', ']', 30_000),
]

const KEYS = [
  ...['jsonrpc', 'id', 'method', 'params', 'result', 'error', '_meta', 'name', 'uri', 'arguments', 'cursor', 'ref'],
  ...['progressToken', 'requestId', 'requestState', 'inputResponses', 'inputRequests', 'resultType', 'code', 'message'],
  ...['data', 'content', 'capabilities', 'protocolVersion', 'nextCursor', 'tools', 'ttlMs', '__proto__', 'constructor'],
  ...['io.modelcontextprotocol/protocolVersion', 'io.modelcontextprotocol/clientCapabilities', '', 'x'.repeat(200)],
]

export const oddity = (random: Random): Odd => (random.chance(0.02) ? random.pick(ABYSSES) : random.pick(ODDITIES))

/** One change at one place. Of an object that is no message left whole nothing is promised, not even that it is JSON. */
export function mutate(value: Odd, random: Random): Odd {
  if (value instanceof Pairs && value.pairs.length > 0) {
    if (random.chance(0.55)) return inPairs(value, random)
    const at = random.int(value.pairs.length)
    return new Pairs(value.pairs.map(([key, item], n) => [key, n === at ? mutate(item, random) : item] as const))
  }
  if (Array.isArray(value) && value.length > 0 && random.chance(0.8)) return inArray(value as readonly Odd[], random)
  if (typeof value === 'string' && random.chance(0.5)) return inText(value, random)
  return random.chance(0.1) ? [value] : oddity(random)
}

function inPairs({ pairs }: Pairs, random: Random): Pairs {
  const at = random.int(pairs.length)
  const [key, item] = pairs[at] as readonly [string, Odd]
  const others = pairs.filter((_, n) => n !== at)
  const put = (...changed: readonly (readonly [string, Odd])[]) =>
    new Pairs([...pairs.slice(0, at), ...changed, ...pairs.slice(at + 1)])
  switch (random.int(8)) {
    case 0:
      return new Pairs(others)
    case 1:
      return put([random.pick(KEYS), item])
    case 2:
      return put([key, item], [key, oddity(random)])
    case 3:
      return put([key, oddity(random)], [key, item])
    case 4:
      return put([key, item], [random.pick(KEYS), oddity(random)])
    case 5:
      return put([key, others.length === 0 ? null : random.pick(others)[1]])
    default:
      return put([key, oddity(random)])
  }
}

function inArray(items: readonly Odd[], random: Random): readonly Odd[] {
  const at = random.int(items.length)
  switch (random.int(4)) {
    case 0:
      return items.filter((_, n) => n !== at)
    case 1:
      return [...items, items[at] as Odd]
    case 2:
      return items.map((item, n) => (n === at ? oddity(random) : item))
    default:
      return items.map((item, n) => (n === at ? mutate(item, random) : item))
  }
}

function inText(text: string, random: Random): Odd {
  switch (random.int(6)) {
    case 0:
      return text.toUpperCase()
    case 1:
      return ` ${text}\t`
    case 2:
      return text.slice(0, random.int(text.length + 1))
    case 3:
      return `${text}\u0000`
    case 4:
      return text.replaceAll('/', '//')
    default:
      return `${text}${text}`
  }
}
