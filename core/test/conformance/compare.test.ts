import { test } from 'uvu'
import * as assert from 'uvu/assert'

interface Check {
  readonly id: string
  readonly status: string
  readonly errorMessage?: string
}
type Results = ReadonlyMap<string, readonly Check[]>
interface Loss {
  readonly scenario: string
  readonly check: string
  readonly passes: number
  readonly times: number
  readonly message: string
}
interface Compare {
  losses(before: Results, after: Results): readonly Loss[]
  failures(results: Results): readonly Loss[]
  excuse(
    found: readonly Loss[],
    reasons: Readonly<Record<string, Readonly<Record<string, string>>>>,
    ran: Iterable<string>,
  ): { readonly excused: readonly Loss[]; readonly inexcusable: readonly Loss[]; readonly stale: readonly unknown[] }
}

const script = new URL('../../../../scripts/conformance/compare.mjs', import.meta.url)
const { losses, failures, excuse } = (await import(script.href)) as Compare

const pass = (id: string): Check => ({ id, status: 'SUCCESS' })
const fail = (id: string): Check => ({ id, status: 'FAILURE', errorMessage: 'said so' })
const ran = (...checks: readonly Check[]): Results => new Map([['ping', checks]])
const timesOf = (found: readonly Loss[]) => found.map(({ check, times }) => `${check} ${times}`)

test('nothing is lost where the same checks pass, in whatever order', () => {
  assert.equal(losses(ran(pass('a'), pass('b'), fail('c')), ran(fail('c'), pass('b'), pass('a'))), [])
})

test('a check that fails, one that is told as information and one that is not there are all lost', () => {
  const after = ran(fail('a'), { id: 'b', status: 'INFO' })
  assert.equal(timesOf(losses(ran(pass('a'), pass('b'), pass('c')), after)), ['a 1', 'b 1', 'c 1'])
})

test('a scenario that did not run has lost all of its checks', () => {
  assert.equal(timesOf(losses(ran(pass('a'), pass('b')), new Map())), ['a 1', 'b 1'])
})

test('an id that comes several times is counted', () => {
  assert.equal(timesOf(losses(ran(pass('a'), pass('a'), pass('a')), ran(pass('a'), fail('a')))), ['a 2'])
})

test('a failure of a check that the server does not have is a loss, too, but no pass is gone', () => {
  const found = losses(ran(pass('a')), ran(pass('a'), fail('wire')))
  assert.equal([timesOf(found), found[0]?.passes], [['wire 1'], 0])
})

test('what fails at the server itself is no loss of the gateway, but a failure of the server', () => {
  assert.equal(losses(ran(fail('a')), ran(fail('a'))), [])
  assert.equal(failures(ran(pass('b'), fail('a'))), [
    { scenario: 'ping', check: 'a', passes: 0, times: 1, message: 'said so' },
  ])
})

test('a reason excuses its own check only, and one that excuses nothing is stale', () => {
  const found = losses(ran(pass('a'), pass('b')), ran(fail('a'), fail('b')))
  const { excused, inexcusable, stale } = excuse(found, { ping: { a: 'why', c: 'why' } }, ['ping'])
  assert.equal([timesOf(excused), timesOf(inexcusable), stale], [['a 1'], ['b 1'], [{ scenario: 'ping', check: 'c' }]])
})

test('a reason for all checks of a scenario excuses each, and is stale when none is lost', () => {
  const reasons = { ping: { '*': 'why' } }
  assert.equal(timesOf(excuse(losses(ran(pass('a')), ran(fail('a'))), reasons, ['ping']).excused), ['a 1'])
  assert.equal(excuse([], reasons, ['ping']).stale, [{ scenario: 'ping', check: '*' }])
})

test('a reason for a scenario that did not run is not stale', () => {
  assert.equal(excuse([], { ping: { a: 'why' } }, ['caching']).stale, [])
})

test.run()
