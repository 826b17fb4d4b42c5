import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile, inputOf, open, type World } from './host.fixture.js'

const bytes = compile('fixtures/assembly/probe.ts')
const rule = open(bytes)
const run = (message: object, more: object = {}) => rule.raw(inputOf(message, more))
const changed = (message: object, more: object = {}) => run(message, more)['message'] as Record<string, unknown>

test('imports what it uses of the gateway, and nothing else', () => {
  const names = ['config_read', 'counter_add', 'input_read', 'kv_delete', 'kv_get', 'kv_set', 'log', 'output_write']
  assert.equal(rule.imports.toSorted(), [...names, 'regex_match'])
  // The probe uses all that there is; a rule takes a third of it.
  assert.ok(bytes.length < 40_960, `${bytes.length} bytes`)
})

test('answers undecided for an input that is not JSON, and reads the next one', () => {
  const encode = (text: string) => new TextEncoder().encode(text)
  for (const text of [
    '',
    '{',
    '{"leg":"request"',
    'nonsense',
    '[1,]',
    '{"a":1,}',
    '"\\ud8"',
    '01',
    '[',
    `${'['.repeat(600)}`,
  ])
    assert.is(rule.raw(encode(text))['verdict'], 'undecided', text)
  assert.equal(run({ op: 'words' })['reason'], 'one! two! three!')
})

test('takes any JSON for its message, and does not trap', () => {
  for (const text of [
    'null',
    '1',
    '[]',
    '{}',
    '"x"',
    '{"message":[1]}',
    '{"message":{"op":1}}',
    '{"call":7,"message":null}',
  ])
    assert.is(rule.raw(new TextEncoder().encode(text))['verdict'], 'undecided', text)
})

test('finds what JavaScript finds, and whole words, at the edges of blocks too', () => {
  const text = `Drop${'x'.repeat(40)} dropped DROP é drop-ß end`
  for (const needle of ['drop', 'D', 'end', 'ß', 'é', ' ', 'x'.repeat(40), 'nothing', 'é drop', 'DROP '])
    for (const from of [0, 1, 15, 16, 17, 44, 50, 70]) {
      const answer = changed({ op: 'find', text, needle, from })
      const whole = Buffer.from(text)
      assert.is(answer['exact'], whole.indexOf(Buffer.from(needle), from), `${needle} from ${from}`)
      const folded = Buffer.from(text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()))
      const lower = needle.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
      assert.is(answer['folded'], folded.indexOf(Buffer.from(lower), from), `${needle} from ${from}, folded`)
      assert.is(answer['starts'], text.startsWith(needle))
      assert.is(answer['ends'], text.endsWith(needle))
      assert.is(answer['parts'], text.split(needle).length)
    }
  assert.is(changed({ op: 'find', text: 'dropped, adrop, Drop.', needle: 'drop', from: 0 })['word'], 16)
  assert.is(changed({ op: 'find', text: 'élan drop', needle: 'lan', from: 0 })['word'], -1)
  assert.is(changed({ op: 'find', text: 'abab', needle: 'a', from: 0 })['entropy'], 1)
})

test('changes, adds and removes by path, and leaves the rest as it came', () => {
  const message = {
    op: 'edit',
    rows: [{ ssn: '1', n: 1.5 }, { ssn: '2', deep: { ssn: [3] } }, 4],
    'odd name': { x: 'ünï"\n' },
    empty: {},
  }
  const edit = (...steps: readonly object[]) => changed({ ...message, steps })
  const { op: _, ...rest } = message
  assert.equal(edit({ path: '$' }), rest)
  assert.equal(edit({ path: 'rows[*].ssn', to: '***' })['rows'], [
    { ssn: '***', n: 1.5 },
    { ssn: '***', deep: { ssn: [3] } },
    4,
  ])
  assert.equal(edit({ path: '$..ssn' })['rows'], [{ n: 1.5 }, { deep: {} }, 4])
  assert.equal(edit({ path: 'rows[1]' })['rows'], [{ ssn: '1', n: 1.5 }, 4])
  assert.equal(edit({ path: 'rows[*]' })['rows'], [])
  assert.equal(edit({ path: "['odd name'].x", to: { y: [1, null] } })['odd name'], { x: { y: [1, null] } })
  assert.equal(
    edit({ path: 'empty.a', to: 'x"' }, { path: 'empty.b', to: true }, { path: 'empty.a', to: 2 })['empty'],
    { a: 2, b: true },
  )
  assert.equal(edit({ path: 'rows', to: 1 }, { path: 'rows[0].ssn', to: 'under what is replaced' })['rows'], 1)
  assert.equal(edit({ path: 'rows[0].ssn' }, { path: 'rows[0].ssn', to: 'again' })['rows'], [
    { ssn: 'again', n: 1.5 },
    ...message.rows.slice(1),
  ])
  assert.equal(edit({ path: 'not.there.at.all', to: 1 }), rest)
})

test('a path leads to every member of a name', () => {
  assert.is(changed({ op: 'find', text: '{"a":1,"b":{"a":2},"\\u0061":3}', needle: 'x', from: 0 })['named'], 2)
})

test('traps on a path that is none, so that nothing passes unseen', () => {
  for (const path of ['a..', 'rows[x]', 'rows[', 'a b[]', '.', 'rows[0]x', '["x"'])
    assert.throws(() => open(bytes).raw(inputOf({ op: 'edit', steps: [{ path }] })), undefined, path)
})

test('says that it cannot tell where a message holds too many values to be read within the fuel of a call', () => {
  const dense = { op: 'words', json: Array.from({ length: 40_000 }, () => 1) }
  assert.is(run(dense)['verdict'], 'undecided')
})

test('tells where something is in bytes, whichever way it was counted', () => {
  const answer = run(
    { op: 'texts', needle: 'key' },
    { texts: ['no', 'é😀 key "key"', 'key\u0001'], keys: ['a', 'key'] },
  )
  assert.is(answer['unit'], 'utf8')
  assert.equal(answer['findings'], [
    { type: 'text', text: 1, start: 7, end: 10, score: 0.25 },
    { type: 'unit', text: 1, start: 7, end: 10 },
    { type: 'text', text: 2, start: 0, end: 3, score: 0.25 },
    { type: 'unit', text: 2, start: 0, end: 3 },
    { type: 'key', key: 1, start: 0, end: 3 },
  ])
  assert.equal(answer['texts'], [{ text: 0, value: '"new"' }])
  assert.equal(run({ op: 'texts', needle: 'x' })['findings'], [{ type: 'nothing', score: 1 }])
})

test('is undecided rather than leave findings out', () => {
  const { verdict, findings } = run({ op: 'flood' })
  assert.equal([verdict, findings], ['undecided', undefined])
})

test('reaches log, counters, patterns, configuration and store', () => {
  const world = {
    log: [] as string[],
    counters: new Map(),
    kv: new Map([
      ['count', '41'],
      ['gone', 'x'],
    ]),
  }
  const config = { limit: '-12', ratio: '0.5', names: 'a, b,\n c ,,', long: 'x'.repeat(1000) }
  const opened = open(bytes, { ...world, config } satisfies World)
  const { message } = opened.raw(inputOf({ op: 'host', text: 'é 123' })) as { message: object }
  assert.equal(message, {
    op: 'host',
    text: 'é 123',
    limit: -12,
    ratio: 0.5,
    names: 3,
    long: 1000,
    start: 3,
    before: 41,
  })
  assert.equal([...world.kv], [['count', '42/60']])
  assert.equal([world.log, [...world.counters]], [['2 söme line'], [['seen', 2]]])
})

test('keeps its memory as it is, call after call', () => {
  const opened = open(bytes)
  const input = inputOf({ op: 'texts', needle: 'a' }, { texts: Array.from({ length: 500 }, (_, i) => `text "${i}" a`) })
  const first = opened.raw(input)
  for (let i = 0; i < 300; i++) assert.equal(opened.raw(input), first)
  assert.is(opened.pages(), 32)
  const most = { op: 'words', json: Array.from({ length: 32_000 }, () => 1234567) }
  assert.is(opened.raw(inputOf(most))['verdict'], 'block')
})

test.run()
