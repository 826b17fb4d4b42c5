import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { GatehouseError } from '../errors.js'
import { Circuits } from './circuits.js'
import { NOT_SENT, fault } from './faults.js'
import { failure, makeRequest, makeTarget } from './testing.js'
import type { Target, UpstreamReply, UpstreamRequest } from './types.js'
import type { Trouble } from './watch.js'

const REPLY: UpstreamReply = {
  result: {},
  error: null,
  era: 'modern',
  httpStatus: 200,
  bytesSent: 0,
  bytesReceived: 0,
}
const crm = makeTarget({ id: 'crm', slug: 'crm', url: 'http://crm.test/' })
const mail = makeTarget({ id: 'mail', slug: 'mail', url: 'http://mail.test/' })
const as = (target: Target, key: string): Target => ({ ...target, key })

const down = () => fault('GH_UPSTREAM_UNREACHABLE', 'crm', 'cannot be reached (ECONNREFUSED)', { retryable: true })
const late = () => fault('GH_UPSTREAM_TIMEOUT', 'crm', 'did not answer within 300.0 s')
const broken = () => fault('GH_UPSTREAM_PROTOCOL', 'crm', 'broke the protocol: it sent a batch')
const refused = (httpStatus = 401) => fault('GH_UPSTREAM_AUTH', 'crm', `refused (HTTP ${httpStatus})`, { httpStatus })
const busy = (retryAfterMs?: number) =>
  fault('GH_UPSTREAM_RATE_LIMITED', 'crm', 'asks for patience', {
    retryable: true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })

/** Circuits over a clock and a server that the test moves: each call goes and stays until it is ended. */
function bench() {
  const clock = { now: 1_000_000 }
  const told: Trouble[] = []
  const recovered: string[] = []
  const logged: string[] = []
  const circuits = new Circuits({
    log: { debug() {}, warn: (_, message) => void logged.push(message) },
    now: () => clock.now,
    onTrouble: (trouble) => void told.push(trouble),
    onRecovered: (id) => void recovered.push(id),
  })
  let sent = 0

  function begin(target: Target = crm, given: Partial<UpstreamRequest> = {}) {
    let end: { resolve: (reply: UpstreamReply) => void; reject: (error: unknown) => void } | undefined
    let seen: UpstreamRequest | undefined
    const outcome = circuits.run(target, makeRequest(given), {
      request: (request) => {
        sent += 1
        seen = request
        return new Promise((resolve, reject) => (end = { resolve, reject }))
      },
    })
    outcome.catch(() => undefined)
    const ends = async (what: GatehouseError | null): Promise<void> => {
      if (what === null) end?.resolve(REPLY)
      else end?.reject(what)
      await outcome.catch(() => undefined)
    }
    return { outcome, ends, seen: () => seen }
  }
  const run = async (what: GatehouseError | null, target = crm) => begin(target).ends(what)
  const fails = async (times: number, make: () => GatehouseError, target = crm) => {
    for (let n = 0; n < times; n++) await run(make(), target)
  }
  const kinds = () => told.map(({ kind }) => kind)
  return { clock, told, kinds, recovered, logged, circuits, begin, run, fails, sent: () => sent }
}

test('a server that is down is not called: refused at once, unsent, harmless to repeat, with the time of the next trial', async () => {
  const { fails, begin, sent, kinds, circuits, clock } = bench()
  await fails(5, down)
  const error = await failure(begin().outcome)
  assert.is(sent(), 5)
  assert.is(error.code, 'GH_UPSTREAM_UNREACHABLE')
  assert.is(error.message, 'Server "crm" is not called for now: it cannot be reached (ECONNREFUSED)')
  assert.equal(error.data, { server: 'crm', retryable: true, retryAfterMs: 1_000 })
  assert.is(error.detail, NOT_SENT)
  assert.equal(kinds(), ['down'])
  assert.equal(circuits.opening('crm')?.since, clock.now)
})

test('the other servers and their callers are not concerned', async () => {
  const { fails, run, sent, circuits } = bench()
  await fails(5, down)
  await run(null, mail)
  assert.is(sent(), 6)
  assert.is(circuits.opening('mail'), null)
})

test('after the pause one call is the trial; its answer lets all others through, and tells that the server is back', async () => {
  const { fails, begin, run, sent, clock, kinds, recovered, circuits, logged } = bench()
  await fails(6, down)
  clock.now += 1_000
  const trial = begin()
  await failure(begin().outcome)
  assert.is(sent(), 6)
  await trial.ends(null)
  await run(null)
  assert.is(sent(), 7)
  assert.equal([recovered, circuits.opening('crm')], [['crm'], null])
  assert.equal(kinds(), ['down', 'up', 'accepted'])
  assert.equal(logged, ['a server is not called for now', 'a server answers again'])
})

test('an answer to a call from before it opened closes it as well', async () => {
  const { fails, begin, circuits } = bench()
  const early = begin()
  await fails(5, down)
  assert.ok(circuits.opening('crm'))
  await early.ends(null)
  assert.is(circuits.opening('crm'), null)
})

test('the first answer after the start is told, so that what stood before it can end', async () => {
  const { run, kinds, recovered } = bench()
  await run(null)
  await run(null)
  assert.equal([kinds(), recovered], [['up', 'accepted'], []])
})

test('a refusal, a plea for patience and an answer that is too large show that the server is up', async () => {
  for (const answer of [refused(), busy(), fault('GH_UPSTREAM_TOO_LARGE', 'crm', 'answered with more')]) {
    const { fails, run, clock, circuits } = bench()
    await fails(5, down)
    clock.now += 1_000
    await run(answer)
    assert.is(circuits.opening('crm'), null, answer.code)
  }
})

test('time-outs open it when the server says nothing at all meanwhile', async () => {
  const { begin, clock, circuits, kinds } = bench()
  const calls = Array.from({ length: 5 }, () => begin())
  clock.now += 300_000
  for (const call of calls) await call.ends(late())
  assert.ok(circuits.opening('crm'))
  assert.equal(kinds(), ['down'])
})

for (const [what, live] of [
  ['an answer to another', async ({ run }: ReturnType<typeof bench>) => run(null)],
  ['a word that belongs to no call', async ({ circuits }: ReturnType<typeof bench>) => circuits.alive('crm')],
  [
    'a note on another call',
    async ({ begin }: ReturnType<typeof bench>) => {
      begin(crm, { onNotification: () => undefined })
        .seen()
        ?.onNotification?.({ method: 'notifications/progress' })
    },
  ],
] as const)
  test(`calls that time out beside ${what} are slow calls of a server that lives`, async () => {
    const trial = bench()
    const { begin, clock, circuits } = trial
    const calls = Array.from({ length: 9 }, () => begin())
    clock.now += 200_000
    await live(trial)
    clock.now += 100_000
    for (const call of calls) await call.ends(late())
    assert.is(circuits.opening('crm'), null)
  })

test('calls that were taken back after long silence count as time-outs, those of the impatient do not', async () => {
  for (const [waited, isOpen] of [
    [19_999, false],
    [20_000, true],
  ] as const) {
    const { begin, clock, circuits } = bench()
    const calls = Array.from({ length: 5 }, () => begin())
    clock.now += waited
    for (const call of calls) await call.ends(fault('GH_UPSTREAM_CANCELLED', 'crm', 'was no longer waited for'))
    assert.is(circuits.opening('crm') !== null, isOpen, String(waited))
  }
})

test('a hung trial holds nobody up: the next one goes after its pause', async () => {
  const { fails, begin, clock, sent } = bench()
  await fails(5, down)
  for (const seconds of [1, 2, 4]) {
    clock.now += seconds * 1_000
    begin()
    await failure(begin().outcome)
  }
  assert.is(sent(), 8)
})

test('each process of a command has its own circuit, and the server is told down and up once', async () => {
  const { fails, run, kinds, circuits, clock } = bench()
  const [mine, yours] = [as(makeTarget({ id: 'crm', command: ['crm'] }), 'me'), as(makeTarget({ id: 'crm' }), 'you')]
  const other = { ...yours, server: mine.server }
  await fails(5, down, mine)
  await fails(5, down, other)
  assert.equal(kinds(), ['down'])
  clock.now += 1_000
  await run(null, mine)
  assert.ok(circuits.opening('crm'), 'the other still is')
  assert.not(kinds().includes('up'))
  await run(null, other)
  assert.is(circuits.opening('crm'), null)
  assert.equal(
    kinds().filter((kind) => kind === 'up'),
    ['up'],
  )
})

test('Retry-After holds that credential back until then, no longer than five minutes, and no other', async () => {
  for (const [asked, held] of [
    [7_000, 7_000],
    [86_400_000, 300_000],
  ] as const) {
    const { run, begin, clock, sent } = bench()
    await run(busy(asked), as(crm, 'me'))
    const error = await failure(begin(as(crm, 'me')).outcome)
    assert.is(error.code, 'GH_UPSTREAM_RATE_LIMITED')
    assert.equal(error.data, { server: 'crm', retryable: true, retryAfterMs: held })
    assert.is(error.detail, NOT_SENT)
    await run(null, as(crm, 'you'))
    assert.is(sent(), 2)
    clock.now += held - 1
    await failure(begin(as(crm, 'me')).outcome)
    clock.now += 1
    await run(null, as(crm, 'me'))
    assert.is(sent(), 3)
  }
})

test('a plea for patience that names no time holds nobody back', async () => {
  const { fails, sent } = bench()
  await fails(9, () => busy())
  assert.is(sent(), 9)
})

test('a credential that is refused again and again is not sent for a while; others of that server are', async () => {
  const { fails, begin, run, sent, clock, told } = bench()
  await fails(5, refused, as(crm, 'me'))
  const error = await failure(begin(as(crm, 'me')).outcome)
  assert.is(error.code, 'GH_UPSTREAM_AUTH')
  assert.match(error.message, /not called with this credential for now: it refused \(HTTP 401\)/)
  assert.equal(error.data, { server: 'crm', retryable: true, retryAfterMs: 1_000 })
  await run(null, as(crm, 'you'))
  assert.is(sent(), 6)
  clock.now += 1_000
  await run(null, as(crm, 'me'))
  const about = told.flatMap((trouble) => ('key' in trouble ? [`${trouble.kind} ${trouble.key}`] : []))
  assert.equal(about, ['refused me', 'accepted you', 'accepted me'])
})

test('what a credential may not do (403) is told each time and keeps nothing else back', async () => {
  const { fails, run, sent, kinds } = bench()
  await fails(7, () => refused(403))
  await run(null)
  assert.is(sent(), 8)
  assert.is(kinds().filter((kind) => kind === 'refused').length, 7)
})

test('broken answers are told each time, and in a row mean that the server is down', async () => {
  const { fails, kinds } = bench()
  await fails(5, broken)
  assert.equal(
    kinds().filter((kind) => kind !== 'up'),
    [...Array.from({ length: 5 }, () => 'misbehaved'), 'down'],
  )
})

test('256 calls wait for a server that says nothing, no more; one that ends makes room', async () => {
  const { begin, clock, sent } = bench()
  const calls = Array.from({ length: 256 }, () => begin())
  clock.now += 5_001
  const error = await failure(begin().outcome)
  assert.is(error.code, 'GH_UPSTREAM_RATE_LIMITED')
  assert.equal(error.data, { server: 'crm', retryable: true, retryAfterMs: 1_000 })
  assert.is(sent(), 256)
  await calls[0]?.ends(late())
  begin()
  assert.is(sent(), 257)
})

test('a busy server may have 2,048; calls that it has said something of do not count', async () => {
  const { begin, clock, sent, circuits } = bench()
  for (let n = 0; n < 300; n++)
    begin(crm, { onNotification: () => undefined })
      .seen()
      ?.onNotification?.({})
  clock.now += 5_001
  for (let n = 0; n < 256; n++) begin()
  await failure(begin().outcome)
  assert.is(sent(), 556)
  circuits.alive('crm')
  for (let n = 256; n < 2_048; n++) begin()
  await failure(begin().outcome)
  assert.is(sent(), 300 + 2_048)
})

test('notes and questions go on to whom they are for', async () => {
  const { begin } = bench()
  const heard: unknown[] = []
  const request = begin(crm, {
    onNotification: (note) => void heard.push(note),
    conversation: {
      party: null,
      whose: 'c',
      onQuestion: async (question) => (heard.push(question), { result: { a: 1 } }),
    },
  }).seen()
  request?.onNotification?.({ n: 1 })
  const question = { method: 'roots/list', params: {} } as never
  assert.equal(await request?.conversation?.onQuestion(question, {} as never), { result: { a: 1 } })
  assert.is(request?.conversation?.party, null)
  assert.equal(heard, [{ n: 1 }, question])
})

test('a server that was changed begins anew, and its calls from before tell nothing of it', async () => {
  const { fails, begin, circuits, run, sent, kinds } = bench()
  const calls = Array.from({ length: 5 }, () => begin())
  await fails(5, down)
  circuits.replace('crm')
  assert.is(circuits.opening('crm'), null)
  for (const call of calls) await call.ends(down())
  await run(null)
  assert.is(sent(), 11)
  assert.equal(kinds(), ['down', 'up', 'accepted'])
})

test('a server that nobody may call any more is told gone, and what it broke off tells nothing', async () => {
  const { begin, circuits, kinds } = bench()
  const calls = Array.from({ length: 5 }, () => begin())
  circuits.forget('crm')
  for (const call of calls) await call.ends(down())
  assert.equal(kinds(), ['gone'])
})

test('while the gateway stops nothing is told', async () => {
  const { fails, circuits, kinds, logged } = bench()
  circuits.stop()
  await fails(5, down)
  assert.equal([kinds(), logged], [[], []])
})

test.run()
