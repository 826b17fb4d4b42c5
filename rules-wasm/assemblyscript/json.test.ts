import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile, inputOf, open } from './host.fixture.js'

const rule = open(compile('fixtures/assembly/probe.ts'))
const RUNS = Number(process.env['GATEHOUSE_JSON_RUNS'] ?? 3000)

/** What the library makes of a text; undefined: it is not JSON. */
function read(json: string): unknown {
  const { verdict, message } = rule.raw(inputOf({ op: 'parse', json }))
  return verdict === 'modify' ? JSON.parse((message as { out: string }).out) : undefined
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** mulberry32: the same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const STRINGS = [
  '',
  'a',
  'é',
  '😀',
  '\\n',
  '\\"',
  '\\\\',
  '\\/',
  '\\u00e9',
  '\\ud83d\\ude00',
  '\\ud83d',
  '\\ude00x',
  '\u2028',
  '0123456789abcdef',
  '__proto__',
]
const SCALARS = ['0', '-0', '1', '-12', '1.5', '1e3', '2E-2', '123456789012', '0.1', '1.25e+2', 'true', 'false', 'null']

function generate(next: (below: number) => number, depth: number): string {
  const space = () => [' ', '\n', '\t', '', '', ''][next(6)] ?? ''
  const string = () => `"${Array.from({ length: next(4) }, () => STRINGS[next(STRINGS.length)]).join('')}"`
  const many = (one: () => string) => Array.from({ length: next(5) }, () => `${space()}${one()}${space()}`).join(',')
  const kind = next(depth > 4 ? 2 : 4)
  if (kind === 0) return string()
  if (kind === 1) return SCALARS[next(SCALARS.length)] ?? '0'
  if (kind === 2) return `[${many(() => generate(next, depth + 1))}${space()}]`.replace(/^\[\s+\]$/, '[ ]')
  return `{${many(() => `${string()}${space()}:${space()}${generate(next, depth + 1)}`)}}`
}

/** As the gateway shows texts: no torn surrogates. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value).toString()
  if (Array.isArray(value)) return value.map(wellFormed)
  // JSON has no number for what is too large, so the library writes null.
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  if (typeof value !== 'object' || value === null) return value
  // Through text, so that a key __proto__ stays one.
  const members = Object.entries(value).map(([key, one]) => {
    return `${JSON.stringify(wellFormed(key))}:${JSON.stringify(wellFormed(one))}`
  })
  return JSON.parse(`{${members.join(',')}}`)
}

test('reads JSON as JSON.parse does', () => {
  const next = numbers(6)
  for (let i = 0; i < RUNS; i++) {
    const json = generate(next, 0)
    assert.equal(read(json), wellFormed(parsed(json)), json)
  }
})

test('refuses what JSON.parse refuses', () => {
  const next = numbers(7)
  const letters = '{}[]",:\\ \n\t\r\v\f0123456789-+.eEtrufalsn\u0001x'
  for (let i = 0; i < RUNS; i++) {
    const json = [...generate(next, 2)]
    for (let n = 0; n <= next(2); n++) json.splice(next(json.length + 1), next(2), letters[next(letters.length)] ?? '')
    const text = json.join('')
    assert.is(read(text) === undefined, parsed(text) === undefined, text)
  }
})

test('undoes the escapes of a text that is JSON, and tells where they stood', () => {
  const next = numbers(8)
  // Two backslashes may be one of a text within the text.
  const parts = STRINGS.filter((one) => one !== '\\\\')
  for (let i = 0; i < RUNS; i++) {
    const inner = Array.from({ length: next(6) }, () => parts[next(parts.length)]).join('')
    const { message } = rule.raw(inputOf({ op: 'plain', json: inner }))
    const { out, places } = message as { out: string; places: string }
    assert.is(out, Buffer.from(JSON.parse(`"${inner}"`)).toString(), inner)
    const all = places.split(' ').map(Number)
    assert.is(all.at(-1), Buffer.byteLength(inner), inner)
    assert.equal(
      all,
      all.toSorted((a, b) => a - b),
    )
  }
})

test('undoes escapes within escapes, and leaves what is none', () => {
  const plain = (json: string) => (rule.raw(inputOf({ op: 'plain', json })).message as { out: string }).out
  assert.is(plain('a\\\\nb'), 'a\nb')
  for (const text of ['C:\\dir', '\\d+', '\\', '\\u12', '\\uzzzz', '']) assert.is(plain(text), text)
})

test('refuses every text that was cut off', () => {
  const whole = '{"a":[1.5e3,true,false,null,"x\\u00e9\\n"],"b":{"c":{}}}'
  for (let i = 0; i < whole.length; i++) assert.is(read(whole.slice(0, i)), undefined, whole.slice(0, i))
  assert.equal(read(whole), JSON.parse(whole))
})

test('reads numbers within their last places', () => {
  for (const text of [
    '5e-324',
    '1.7976931348623157e308',
    '1e400',
    '-1e-400',
    '9007199254740993',
    '0.30000000000000004',
    '123456789012345678901234567890',
  ]) {
    const exact = Number(text)
    const ours = read(`[${text}]`) as [number | null]
    // JSON has no number for it, so the library writes null.
    if (!Number.isFinite(exact)) assert.is(ours[0], null)
    else
      assert.ok(Math.abs((ours[0] ?? 0) - exact) <= Math.abs(exact) * 1e-15 + Number.MIN_VALUE, `${text}: ${ours[0]}`)
  }
})

test('holds a depth, and does not trap beyond it', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  assert.equal(read(nested(512)), JSON.parse(nested(512)))
  assert.is(read(nested(521)), undefined)
  assert.is(read(nested(100_000)), undefined)
})

test.run()
