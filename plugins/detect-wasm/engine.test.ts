import type { Evaluation } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { artifact, bench, counting, message, saying, seeing, verdicts } from './rule.fixture.js'

const rules = await bench()
test.after(() => rules.host.stop())

const pass = { verdict: 'pass' } as const
const block = { verdict: 'block', reason: 'no' } as const
const reasonOf = (answer: Evaluation | undefined) =>
  answer?.verdict === 'undecided' ? answer.message : answer?.verdict

test('a rule decides, and tells what its verdict rests on', async () => {
  const module = seeing('#', [block, pass])
  const turn = await rules.prepare(module)
  const [blocked] = await rules.ask([turn], { message: message('a # b') })
  assert.is(blocked?.verdict === 'block' && blocked.reason, 'no')
  const [passed] = await rules.ask([turn])
  assert.is(passed?.verdict, 'pass')
  const { fuel, config_sha256: config, meter, ...evidence } = passed?.evidence ?? {}
  assert.equal(evidence, { abi: 'gatehouse.rule/1', module: `test@${module.version}`, module_sha256: module.sha256 })
  assert.ok(Number(fuel) > 100)
  assert.match(String(config), /^[0-9a-f]{64}$/)
  assert.ok(meter !== undefined)
  assert.is(passed?.strike, undefined)
})

test('one question is answered for all rules of a chain, in their order', async () => {
  const turns = await Promise.all(
    [saying(pass), seeing('#', [block, pass]), saying(pass)].map((one) => rules.prepare(one)),
  )
  assert.equal(verdicts(await rules.ask(turns)), ['pass', 'pass', 'pass'])
  assert.equal(verdicts(await rules.ask(turns, { message: message('#') })), ['pass', 'block'], 'a block ends it')
})

test('what a rule changed the next one sees, unless it is in shadow or only detects', async () => {
  const changing = await rules.prepare(saying({ verdict: 'modify', message: message('#') }))
  const looking = await rules.prepare(seeing('#', [block, pass]))
  assert.equal(verdicts(await rules.ask([changing, looking])), ['modify', 'block'])
  assert.equal(verdicts(await rules.ask([{ ...changing, shadow: true }, looking])), ['modify', 'pass'])
  assert.equal(verdicts(await rules.ask([{ ...changing, action: 'detect' }, looking])), ['modify', 'pass'])
  assert.equal(verdicts(await rules.ask([{ ...changing, action: 'mask' }, looking])), ['modify'])
})

test('rules that see texts are not asked behind a changed message, nor believed on them', async () => {
  const changing = await rules.prepare(saying({ verdict: 'modify', message: message('#') }))
  const texts = await rules.prepare(saying(pass, { input: ['texts'] }))
  assert.equal(verdicts(await rules.ask([changing, texts])), ['modify'])
  const rewriting = await rules.prepare(saying({ verdict: 'modify', texts: [{ text: 0, value: 'x' }] }))
  assert.equal(verdicts(await rules.ask([changing, rewriting])), ['modify'])
  const finding = await rules.prepare(
    saying({ verdict: 'pass', findings: [{ type: 'x', text: 0, start: 0, end: 1 }] }),
    {
      action: 'mask',
    },
  )
  assert.equal(verdicts(await rules.ask([changing, finding])), ['modify'])
})

test('texts in the place of texts make a message', async () => {
  const turn = await rules.prepare(
    saying({ verdict: 'modify', texts: [{ text: 0, value: 'other' }] }, { input: ['texts'] }),
  )
  const [answer] = await rules.ask([turn])
  assert.equal(answer?.verdict === 'modify' && answer.patch.message, message('other'))
  const wrong = await rules.prepare(saying({ verdict: 'modify', texts: [{ text: 1, value: 'other' }] }))
  const [refused] = await rules.ask([wrong])
  assert.is(refused?.verdict, 'undecided')
  assert.ok(refused?.strike)
})

test('findings are what an action is done to; without one they count', async () => {
  const found = { verdict: 'pass', findings: [{ type: 'word', text: 0, start: 1, end: 3 }, { type: 'odd' }] }
  const module = saying(found)
  const [masked] = await rules.ask([await rules.prepare(module, { action: 'mask' })])
  assert.equal(masked?.verdict === 'findings' && masked.findings, [
    { type: 'word', leaf: 0, start: 1, end: 3, score: 1 },
  ])
  assert.equal(masked?.counts, { odd: 1 })
  const [decided] = await rules.ask([await rules.prepare(module)])
  assert.is(decided?.verdict, 'pass')
  assert.equal(decided?.counts, { word: 1, odd: 1 })
  const [key] = await rules.ask([
    await rules.prepare(saying({ verdict: 'pass', findings: [{ type: 'k', key: 0 }] }), { action: 'detect' }),
  ])
  assert.equal(key?.verdict === 'findings' && key.findings, [{ type: 'k', leaf: 1, start: 0, end: 4, score: 1 }])
})

test('an action that changes the message ends a chain, a look does not', async () => {
  const module = saying({ verdict: 'pass', findings: [{ type: 'word', text: 0, start: 1, end: 3 }] })
  const turn = await rules.prepare(module)
  const last = await rules.prepare(saying(pass))
  assert.equal(verdicts(await rules.ask([{ ...turn, action: 'redact' }, last])), ['findings'])
  assert.equal(verdicts(await rules.ask([{ ...turn, action: 'block' }, last])), ['findings'])
  assert.equal(verdicts(await rules.ask([{ ...turn, action: 'detect' }, last])), ['findings', 'pass'])
  assert.equal(verdicts(await rules.ask([{ ...turn, action: 'redact', shadow: true }, last])), ['findings', 'pass'])
})

test('a finding outside of its text is the fault of the rule', async () => {
  for (const place of [
    { text: 0, start: 0, end: 6 },
    { text: 0, start: 3, end: 2 },
    { text: 1 },
    { key: 1 },
    { text: 7 },
  ]) {
    const turn = await rules.prepare(saying({ verdict: 'pass', findings: [{ type: 'x', ...place }] }), {
      action: 'mask',
    })
    const [answer] = await rules.ask([turn])
    assert.is(reasonOf(answer), 'a finding outside of its text')
    assert.is(answer?.strike, 'answer: a finding outside of its text')
  }
})

test('places in bytes become places in signs', async () => {
  const at = (start: number, end: number) =>
    rules.prepare(
      saying({ verdict: 'pass', unit: 'utf8', findings: [{ type: 'x', text: 0, start, end }] }, { input: ['texts'] }),
      { action: 'mask' },
    )
  const shown = { message: message('ä😀b') }
  const [found] = await rules.ask([await at(2, 7)], shown)
  assert.equal(found?.verdict === 'findings' && found.findings, [{ type: 'x', leaf: 0, start: 1, end: 4, score: 1 }])
  const [torn] = await rules.ask([await at(2, 4)], shown)
  assert.is(reasonOf(torn), 'a finding outside of its text')
})

test('a message over the limit of a rule is not decided, and nobody’s fault', async () => {
  const small = await rules.prepare(saying(pass, { limits: { inputBytes: 1_000 } }))
  const large = await rules.prepare(saying(pass))
  const answers = await rules.ask([large, small, large], { message: message('x'.repeat(1_200)) })
  assert.equal(verdicts(answers), ['pass', 'undecided', 'pass'])
  assert.match(String(reasonOf(answers[1])), /limit of 1000 bytes/)
  assert.is(answers[1]?.strike, undefined)
})

test('what a rule cannot answer is undecided and counts against it', async () => {
  const trap = await rules.prepare(artifact({ answers: [], body: '(unreachable)' }))
  const endless = await rules.prepare(
    artifact({ answers: [], body: '(loop $l (br $l))' }, { limits: { fuel: 100_000 } }),
  )
  const [first, second, third] = await rules.ask([trap, endless, await rules.prepare(saying(pass))])
  for (const answer of [first, second]) assert.ok(answer?.verdict === 'undecided' && answer.strike)
  assert.is(third?.verdict, 'pass')
})

test('a number that no double holds is shown by its digits, and stays one when the rest is changed', async () => {
  const marked = `\u{e000}${'ghijklmnopqrstuv'}:12345678901234567890`
  const turn = await rules.prepare(
    seeing('\u{e000}'.charCodeAt(0) > 255 ? '\xee' : '', [
      block,
      { verdict: 'modify', message: { name: 'echo', arguments: { id: '12345678901234567890', text: 'y' } } },
    ]),
  )
  const [answer] = await rules.ask([turn], { message: { name: 'echo', arguments: { id: marked, text: 'x' } } })
  assert.equal(answer?.verdict === 'modify' && answer.patch.message, {
    name: 'echo',
    arguments: { id: marked, text: 'y' },
  })
})

test('what a verdict rests on is told only where it is kept', async () => {
  const turn = await rules.prepare(counting())
  const [kept] = await rules.ask([turn])
  const [other] = await rules.ask([turn], { keeps: false })
  assert.equal([kept?.recorded !== undefined, other?.recorded], [true, undefined])
})

test('what a verdict rests on answers the same once more, and stores nothing', async () => {
  const [turn, odd] = await Promise.all([rules.prepare(counting()), rules.prepare(counting('__proto__'))])
  for (const one of [turn, odd])
    for (const verdict of ['pass', 'pass', 'block']) {
      const [live] = await rules.ask([one])
      assert.is(live?.verdict, verdict)
      const [again] = await rules.ask([one], { recorded: live?.recorded ?? {} })
      assert.equal({ ...again, ms: 0 }, { ...live, ms: 0 })
    }
  const foreign = await rules.prepare(saying(pass))
  const [live] = await rules.ask([turn])
  assert.match(String(reasonOf((await rules.ask([foreign], { recorded: live?.recorded ?? {} }))[0])), /another one/)
})

test.run()
