import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HOOKS } from './hooks.js'
import { block, modify, never, pass, undecided } from './verdict.js'

const rows = Object.entries(HOOKS)

test('the table and its rows cannot be changed', () => {
  assert.ok(Object.isFrozen(HOOKS))
  for (const [name, row] of rows) assert.ok(Object.isFrozen(row), name)
})

test('a hook is a noun and a verb, has a deadline and says what it is for', () => {
  for (const [name, { deadlineMs, summary }] of rows) {
    assert.match(name, /^[a-z]+\.[a-z]+$/)
    assert.ok(deadlineMs > 0 && deadlineMs <= 30_000, name)
    assert.match(summary, /^[A-Z].*[.?]$/)
  }
})

test('what decides over a message or a person fails closed; open are only notices and farewells', () => {
  const open = rows.filter(([, { onFailure }]) => onFailure === 'open').map(([name]) => name)
  assert.equal(open, ['engine.retire', 'idp.logout', 'alert.raised'])
})

test('only sequential hooks have writable fields, and all of them have one', () => {
  for (const [name, { kind, writable }] of rows) assert.is(writable.length > 0, kind === 'sequential', name)
})

test('a first hook knows not to be meant, and can refuse', () => {
  for (const [name, { kind, answer }] of rows) {
    if (kind !== 'first') continue
    assert.ok(answer.safeParse({ kind: 'notMine' }).success, name)
    assert.ok(answer.safeParse({ kind: 'refused', reason: 'r' }).success, name)
  }
})

test('a token is answered by its hash, 64 lower-case hex digits, and by nothing else', () => {
  const { answer } = HOOKS['auth.identify']
  assert.ok(answer.safeParse({ kind: 'token', hash: '0a'.repeat(32) }).success)
  for (const hash of ['0A'.repeat(32), '0a'.repeat(31), `${'0a'.repeat(32)}\n`, 'API_secret'])
    assert.not.ok(answer.safeParse({ kind: 'token', hash }).success, hash)
})

test('verdicts are made by their four functions', () => {
  assert.equal(
    [pass(), block('r'), undecided('m')],
    [{ verdict: 'pass' }, { verdict: 'block', reason: 'r' }, { verdict: 'undecided', message: 'm' }],
  )
  assert.equal(modify({ params: { a: 1 } }), { verdict: 'modify', patch: { params: { a: 1 } } })
  assert.is(pass(), pass(), 'allocates nothing')
  assert.throws(() => never('late' as never), /unhandled case: "late"/)
})

test.run()
