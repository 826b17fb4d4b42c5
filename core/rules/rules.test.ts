import type { Evaluation, JsonObject } from '@gatehouse/sdk'
import { pass, undecided } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Outcome } from './chain.js'
import { NO_FEATURE } from './engines.js'
import { bench, rule, subject } from './testing.js'

const text = (value: string): JsonObject => ({ content: [{ type: 'text', text: value }] })
const find = (...list: readonly string[]) => ({ words: list })

/** The arguments, or the first text of the result, as an outcome leaves them; null when nothing changed. */
function left(outcome: Outcome): unknown {
  if (outcome.kind !== 'changed') return null
  const [first] = (outcome.message['content'] ?? []) as JsonObject[]
  return outcome.message['arguments'] ?? first?.['text']
}
const verdicts = (outcome: Outcome) => outcome.receipts.map(({ verdict }) => verdict)
const alerts = (outcome: Outcome) => outcome.alerts.map(({ type }) => type)

test('without a covering rule nothing is made: the same outcome for every message, at once', async () => {
  const { rules, compile } = bench()
  const compiled = await compile([rule({ hook: 'response' }), rule({ servers: ['other'] })])
  const context = () => assert.unreachable('the context is not asked for') as never
  const one = rules.inspectRequest(compiled, subject({ context }), { arguments: { a: 'x' } })
  assert.is(one, rules.inspectRequest([], subject({ context }), {}))
  assert.equal(one, { kind: 'pass', receipts: [], alerts: [], recorded: [] })
})

test('an engine that answers at once is never waited for', async () => {
  const { rules, compile } = bench()
  const compiled = await compile([rule({ config: find('x') })])
  const outcome = rules.inspectRequest(compiled, subject(), { arguments: { a: 'x' } })
  assert.not.instance(outcome, Promise)
})

test('the second rule sees what the first left', async () => {
  const { request } = bench()
  const first = rule({ action: 'replace', config: { words: ['a'], replacement: 'b' } })
  const second = rule({ action: 'replace', config: { words: ['b'], replacement: 'c' } })
  assert.equal(left(await request({ t: 'a' }, [first, second])), { t: 'c' })
  assert.equal(left(await request({ t: 'a' }, [second, first])), { t: 'b' })
})

test('every pass of a rule sees what the former left', async () => {
  const outcome = await bench().request({ t: 'ab' }, [rule({ action: 'redact', config: find('a', 'b') })])
  assert.equal(left(outcome), { t: '' })
  assert.equal(outcome.receipts[0]?.findings, { a: 1, b: 1 })
})

test('a block ends the chain', async () => {
  const { request } = bench()
  const blocking = rule({ action: 'block', config: find('x') })
  const outcome = await request({ t: 'x' }, [rule({ config: find('y') }), blocking, rule({ config: find('x') })])
  assert.is(outcome.kind, 'blocked')
  assert.is(outcome.kind === 'blocked' && outcome.blockedBy.id, blocking.id)
  assert.equal(verdicts(outcome), ['pass', 'block'])
})

test('a block sees keys and what spans several texts; a change does not touch keys', async () => {
  const { request } = bench()
  assert.is((await request({ secret: 1 }, [rule({ action: 'block', config: find('secret') })])).kind, 'blocked')
  assert.is((await request({ a: 'b', c: 1 }, [rule({ action: 'block', config: find('"a":"b"') })])).kind, 'blocked')
  assert.is((await request({ secret: 1 }, [rule({ action: 'mask', config: find('secret') })])).kind, 'pass')
})

test('detect leaves the message alone, counts once and lets later rules run', async () => {
  const detecting = rule({ action: 'detect', alerts: true, config: find('x') })
  const outcome = await bench().request({ t: 'xx' }, [detecting, rule({ config: find('y') })])
  assert.is(outcome.kind, 'pass')
  assert.equal(verdicts(outcome), ['detect', 'pass'])
  assert.equal(outcome.receipts[0]?.findings, { x: 2 })
  assert.equal(alerts(outcome), ['rule_detected'])
})

test('a rule in shadow neither changes nor blocks, later rules see the untouched text, and its receipt says what it would do', async () => {
  const shadows = [
    rule({ shadow: true, alerts: true, action: 'redact', config: find('x', 'y') }),
    rule({ shadow: true, alerts: true, action: 'block', config: find('x') }),
    rule({ shadow: true, alerts: true, action: 'detect', config: find('x') }),
  ]
  const outcome = await bench().request({ t: 'xy' }, shadows)
  assert.is(outcome.kind, 'pass')
  assert.equal(verdicts(outcome), ['modify', 'block', 'detect'])
  assert.ok(outcome.receipts.every((receipt) => receipt.shadow))
  assert.equal(alerts(outcome), [])
})

test('a rule of both hooks takes part in both legs, the others in their own', async () => {
  const { request, response } = bench()
  const rules = [
    rule({ hook: 'request', config: find('x') }),
    rule({ hook: 'both', config: find('x') }),
    rule({ hook: 'response', config: find('x') }),
  ]
  assert.is((await request({ t: 'x' }, rules)).receipts.length, 2)
  const outcome = await response(text('x'), rules)
  assert.equal(
    outcome.receipts.map(({ rule_id: id }) => id),
    [rules[1]?.id, rules[2]?.id],
  )
  assert.is(left(outcome), '*')
})

test('an alert follows the toggle, the act does not', async () => {
  const { request } = bench()
  const acts = (action: 'mask' | 'block', on: boolean) =>
    request({ t: 'x' }, [rule({ action, alerts: on, config: find('x') })])
  assert.equal(alerts(await acts('mask', true)), ['rule_modified'])
  assert.equal(alerts(await acts('block', true)), ['rule_blocked'])
  assert.equal(alerts(await acts('block', false)), [])
  assert.equal(left(await acts('mask', false)), { t: '*' })
})

test('neither receipts nor alerts hold what was found', async () => {
  const seen = bench({
    words: () => ({ verdict: 'findings', findings: [{ type: 'X', leaf: 0, start: 0, end: 6, score: 1 }] }),
  })
  const outcome = await seen.request({ t: 'secret' }, [rule({ alerts: true, config: {} })])
  assert.not.match(JSON.stringify([outcome.receipts, outcome.alerts]), 'secret')
})

const failures: Readonly<Record<string, () => Evaluation | Promise<Evaluation>>> = {
  throws: () => {
    throw new Error('no')
  },
  rejects: () => Promise.reject(new Error('no')),
  undecided: () => undecided('no'),
  nothing: () => undefined as never,
  rubbish: () => ({ verdict: 'maybe' }) as never,
  'findings that are no list': () => ({ verdict: 'findings', findings: 'x' }) as never,
  'a leaf that is not there': () => ({
    verdict: 'findings',
    findings: [{ type: 'X', leaf: 9, start: 0, end: 1, score: 1 }],
  }),
  'a span outside of its text': () => ({
    verdict: 'findings',
    findings: [{ type: 'X', leaf: 0, start: 0, end: 99, score: 1 }],
  }),
  'a message that is no object': () => ({ verdict: 'modify', patch: { message: 'x' } }),
  'another name': () => ({ verdict: 'modify', patch: { message: { name: 'drop_table', arguments: {} } } }),
  'arguments that are no object': () => ({
    verdict: 'modify',
    patch: { message: { name: 'find_contact', arguments: [] } },
  }),
}

for (const [name, answer] of Object.entries(failures)) {
  test(`an engine that fails (${name}) is decided by onFailure, and always raises an alert`, async () => {
    const { request, undecided: log } = bench({ faulty: answer })
    const closed = await request({ t: 'x' }, [rule({ engine: 'faulty' }), rule({ config: find('x') })])
    assert.is(closed.kind, 'blocked')
    assert.equal([closed.receipts[0]?.verdict, closed.receipts[0]?.fell], ['undecided', 'closed'])
    assert.equal(alerts(closed), ['rule_engine_failed'])
    const open = await request({ t: 'x' }, [
      rule({ engine: 'faulty', onFailure: 'allow' }),
      rule({ config: find('x') }),
    ])
    assert.equal(left(open), { t: '*' })
    assert.equal([open.receipts[0]?.verdict, open.receipts[0]?.fell], ['undecided', 'open'])
    assert.equal(alerts(open), ['rule_engine_failed'])
    assert.is(log.length, 2)
  })
}

test('spans without an action are no decision', async () => {
  const outcome = await bench().request({ t: 'x' }, [rule({ action: null, config: find('x') })])
  assert.is(outcome.kind, 'blocked')
  assert.is(outcome.receipts[0]?.fell, 'closed')
})

test('a verdict on the whole message is followed, chained and may not touch the envelope', async () => {
  const message: Record<string, unknown> = { name: 'find_contact', arguments: { t: 'x!' } }
  const { rules, compile } = bench(
    { whole: () => Promise.resolve({ verdict: 'modify', patch: { message: message as JsonObject } }) },
    ['whole'],
  )
  const compiled = await compile([rule({ engine: 'whole', action: null }), rule({ config: find('x') })])
  const given = { name: 'find_contact', _meta: { progressToken: 'own' }, arguments: { t: 'a' } }
  const outcome = await rules.inspectRequest(compiled, subject(), given)
  assert.equal(outcome.kind === 'changed' && outcome.message, { ...given, arguments: { t: '*!' } })
  message['_meta'] = { progressToken: 'stolen' }
  assert.is((await rules.inspectRequest(compiled, subject(), given)).kind, 'blocked')
})

test('a result may not change its kind, nor be anything but an object', async () => {
  for (const message of [{ resultType: 'complete', content: [] }, [], 'x', null]) {
    const { response } = bench({ whole: () => ({ verdict: 'modify', patch: { message } }) }, ['whole'])
    const result = { resultType: 'input_required', inputRequests: {} }
    assert.is((await response(result, [rule({ engine: 'whole', action: null })])).kind, 'blocked')
  }
})

test('the reason of an engine reaches the client, cut to its bound', async () => {
  const { request } = bench({ stern: () => ({ verdict: 'block', reason: 'r'.repeat(600) }) }, ['stern'])
  const outcome = await request({ t: 'x' }, [rule({ engine: 'stern', action: null })])
  assert.is(outcome.kind === 'blocked' && outcome.reason, 'r'.repeat(500))
})

test('detect only records what an engine would have done to the whole message', async () => {
  const { request } = bench({ stern: () => ({ verdict: 'block', reason: 'no' }) }, ['stern'])
  const outcome = await request({ t: 'x' }, [rule({ engine: 'stern', action: 'detect' })])
  assert.equal([outcome.kind, ...verdicts(outcome)], ['pass', 'detect'])
})

test('a rule that cannot be prepared is undecided on every message, never silently absent', async () => {
  const { request } = bench({ words: pass })
  for (const broken of [
    rule({ engine: 'absent' }),
    rule({ config: { invalid: true } }),
    rule({ config: { keepLast: -1 } }),
  ]) {
    const outcome = await request({ t: 'x' }, [broken])
    assert.is(outcome.kind, 'blocked')
    assert.equal(alerts(outcome), ['rule_engine_failed'])
  }
})

test('checking a rule tells what is wrong and keeps nothing', async () => {
  const { rules, retired } = bench()
  assert.equal(await rules.checkRule(rule({ config: find('x') }), null, null), [])
  assert.equal(retired, [['x']])
  assert.equal(await rules.checkRule(rule({ config: { invalid: true } }), null, null), [
    { path: 'words', message: 'a word is missing' },
  ])
  assert.is((await rules.checkRule(rule({ engine: 'absent' }), null, null))[0]?.path, 'engine')
  assert.is((await rules.checkRule(rule({ config: { replacement: 5 } }), null, null))[0]?.path, 'replacement')
})

test('prompts and resources pass untouched unless a rule is told to cover them', async () => {
  const { request, response } = bench()
  const prompt = subject({ kind: 'prompt', feature: 'greet' })
  const resource = subject({ kind: 'resource', feature: 'file:///a' })
  const all = [
    rule({ action: 'block', config: find('x') }),
    rule({ action: 'block', features: ['*'], config: find('x') }),
  ]
  for (const about of [prompt, resource]) assert.equal((await request({ t: 'x' }, all, about)).receipts, [])
  const told = [rule({ features: ['prompt:gre*', 'resource:file:*'], config: find('x') })]
  assert.equal(left(await request({ t: 'x' }, told, prompt)), { t: '*' })
  const read = await response({ contents: [{ uri: 'x://', text: 'x' }] }, told, resource)
  assert.equal(read.kind === 'changed' && read.message, { contents: [{ uri: 'x://', text: '*' }] })
  assert.equal((await request({ t: 'x' }, told)).receipts, [])
  assert.equal((await request({ t: 'x' }, told, subject({ feature: 'prompt:greet' }))).receipts, [])
})

test('what is said outside of any call is looked at by every rule for its server', async () => {
  const { request } = bench()
  const outside = subject({ feature: NO_FEATURE })
  const each = [['find_*'], ['prompt:greet'], []].map((features) => rule({ features, config: find('x') }))
  assert.is((await request({ t: 'x' }, each, outside)).receipts.length, 3)
  assert.equal((await request({ t: 'x' }, [rule({ servers: ['other'], config: find('x') })], outside)).receipts, [])
})

test('servers are named by the prefix of the assignment or by their slug', async () => {
  const { request } = bench()
  const covered = async (...servers: readonly string[]) =>
    (await request({ t: 'x' }, [rule({ servers, config: find('x') })])).receipts.length === 1
  assert.ok(await covered('crm-*'))
  assert.ok(await covered('crm'))
  assert.not.ok(await covered('mine', 'CRM'))
})

test('a mirror of structured content is changed with it', async () => {
  const structuredContent = { ssn: 'x' }
  const result = { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent }
  const outcome = await bench().response(result, [rule({ config: find('x') })])
  assert.equal(outcome.kind === 'changed' && outcome.message, {
    content: [{ type: 'text', text: '{"ssn":"*"}' }],
    structuredContent: { ssn: '*' },
  })
})

test.run()
