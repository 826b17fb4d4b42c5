import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { MessageRecord } from './domain/record.js'
import { GatehouseError } from './errors.js'
import { createPipeline, type Rooms } from './pipeline.js'
import type { Recorder } from './record/types.js'
import { createRespond } from './rooms/respond.js'
import { inbound, routed } from './rooms/testing.js'
import { plan } from './upstream/catalog-testing.js'

const visited: string[] = []
/** Rooms that note who came by and let everything pass; a test puts another room in one's place. */
function rooms(changes: Partial<Rooms> = {}): Rooms {
  visited.length = 0
  const house = plan(['crm'])
  const by =
    <T>(name: string, give: () => T) =>
    () => (visited.push(name), give())
  const whole = () => ({
    ...routed(house, 'find'),
    target: {},
    reply: {},
    result: { content: ['secret'] },
    error: null,
  })
  return {
    authenticate: ((call: object) => (visited.push('authenticate'), call)) as never,
    session: ((call: object) => (visited.push('session'), call)) as never,
    route: by('route', () => whole() as never),
    permit: by('permit', () => whole() as never),
    inspectRequest: by('inspectRequest', () => whole() as never),
    relay: () => ({
      flow: null,
      onNote: null,
      question: async (question) => question,
      answer: async (answer) => answer,
      progress: async (told) => told,
      settled: () => undefined,
    }),
    forward: by('forward', async () => whole() as never),
    connect: (_, thrown) => {
      throw thrown
    },
    inspectResponse: by('inspectResponse', () => whole() as never),
    hear: by('hear', () => undefined),
    list: by('list', async () => ({ tools: [] })),
    subscribe: {
      set: by('set', async () => ({})),
      resource: by('subscribe', async () => ({})),
    },
    listen: {
      open: by('listen', async () => ({ acknowledged: ACK, tell: async () => ({}), abandon: () => undefined })),
    },
    answer: by('answer', async () => ({ result: {}, headers: {} })),
    respond: createRespond(() => 'https://gate.example.com/x'),
    ...changes,
  }
}

const ACK = { jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged' }
const kept: MessageRecord[] = []
const recorder: Recorder = { append: async (record) => void kept.push(record) }
const walkWith = (changes: Partial<Rooms> = {}, record = recorder) =>
  createPipeline(rooms(changes), record, () => undefined)
const throwing = (code: GatehouseError['code']) => () => {
  throw new GatehouseError(code)
}

test('a call walks through every room, in order', async () => {
  const { status } = await walkWith()(inbound())
  assert.is(status, 200)
  assert.equal(visited, ['authenticate', 'session', 'route', 'permit', 'inspectRequest', 'forward', 'inspectResponse'])
})

test('the record is written before the answer is given', async () => {
  const order: string[] = []
  let written: () => void = () => undefined
  const slow = { append: () => new Promise<void>((resolve) => (written = resolve)) }
  const reply = walkWith({}, slow)(inbound()).then(() => order.push('answered'))
  await new Promise((resolve) => setImmediate(resolve))
  order.push('written')
  written()
  await reply
  assert.equal(order, ['written', 'answered'])
})

test('a record that cannot be written is 503, and nothing of the answer leaves', async () => {
  const full = { append: () => Promise.reject(new GatehouseError('GH_RECORD_FULL')) }
  const { status, text } = await walkWith({}, full)(inbound())
  assert.is(status, 503)
  assert.not.match(text ?? '', /secret/)
})

const STEPS = ['authenticate', 'session', 'route', 'permit', 'inspectRequest', 'forward', 'inspectResponse'] as const
for (const step of STEPS)
  test(`what ${step} refuses goes no further, and is on record once`, async () => {
    kept.length = 0
    const { status } = await walkWith({ [step]: throwing('GH_SESSION_UNKNOWN') } as Partial<Rooms>)(inbound())
    assert.is(status, 404)
    assert.equal(visited, STEPS.slice(0, STEPS.indexOf(step)))
    assert.is(kept.length, 1)
    assert.equal([kept[0]?.outcome, kept[0]?.httpStatus], ['proxy_response_error', 404])
  })

test('what a room throws by accident is answered like any failure', async () => {
  const broken = () => {
    throw new TypeError('x is not a function')
  }
  const { status, text } = await walkWith({ route: broken })(inbound())
  assert.is(status, 500)
  assert.not.match(text ?? '', /not a function/)
})

test('a reply that its client does not get to see is told so, any other is not', async () => {
  let unseen = 0
  const reply = { unseen: () => (unseen += 1) }
  const forward = (async (call: object) => Object.assign(call, { reply })) as unknown as Rooms['forward']
  const inspectResponse = ((call: object) => call) as unknown as Rooms['inspectResponse']
  const { gone } = inbound()
  const inspectRequest = () => ({ ...routed(plan(['crm']), 'find'), target: {}, result: {}, error: null }) as never
  await walkWith({ forward, inspectResponse, inspectRequest })(inbound())
  assert.is(unseen, 0)
  await walkWith({ forward, inspectRequest, inspectResponse: throwing('GH_INSPECT_BLOCKED') })(inbound())
  assert.is(unseen, 1)
  const late = ((call: object) => ({
    ...call,
    gone: { ...gone, aborted: true },
  })) as unknown as Rooms['inspectResponse']
  await walkWith({ forward, inspectRequest, inspectResponse: late })(inbound())
  assert.is(unseen, 2)
})

test('what rules did to notes and questions is on record, too, when the call fails', async () => {
  let settled = 0
  const relay = (() => ({ settled: () => (settled += 1) })) as unknown as Rooms['relay']
  await walkWith({ relay })(inbound())
  await walkWith({ relay, forward: throwing('GH_INSPECT_BLOCKED') })(inbound())
  await walkWith({ relay, inspectResponse: throwing('GH_INSPECT_BLOCKED') })(inbound())
  assert.is(settled, 3)
})

test('a stranger leaves one leg, anyone else the first and the last', async () => {
  kept.length = 0
  await walkWith({ authenticate: throwing('GH_AUTHENTICATE_INVALID') })(inbound())
  await walkWith({ route: throwing('GH_ROUTE_FEATURE') })(inbound())
  assert.equal(
    kept.map(({ legs }) => legs.map(({ type }) => type)),
    [['auth_refused'], ['proxy_request_success', 'proxy_response_error']],
  )
})

test('lists and the gateway’s own methods do not pass the rooms of calls', async () => {
  for (const [method, room] of [
    ['tools/list', 'list'],
    ['prompts/list', 'list'],
    ['resources/list', 'list'],
    ['resources/templates/list', 'list'],
    ['ping', 'answer'],
    ['initialize', 'answer'],
    ['server/discover', 'answer'],
  ] as const) {
    await walkWith()(inbound({ method }))
    assert.equal(visited, ['authenticate', 'session', room], method)
  }
})

test('what a client tells without asking is heard once it is known who tells it, and reaches no server', async () => {
  const { status, text } = await walkWith()(inbound({ id: null, method: 'notifications/initialized' }))
  assert.equal([status, text, visited], [202, null, ['authenticate', 'session', 'hear']])
})

test('what a client sets for its session passes no server, a subscription is routed and inspected like a call', async () => {
  const session = { id: 's' } as never
  const withSession = { session: ((call: object) => (visited.push('session'), { ...call, session })) as never }
  for (const method of ['logging/setLevel', 'resources/unsubscribe']) {
    await walkWith(withSession)(inbound({ method }))
    assert.equal(visited, ['authenticate', 'session', 'set'], method)
  }
  await walkWith(withSession)(inbound({ method: 'resources/subscribe' }))
  assert.equal(visited, ['authenticate', 'session', 'route', 'permit', 'inspectRequest', 'subscribe'])
})

const listening = (order: string[], tell = async () => (order.push('told'), { resultType: 'complete' })) => {
  const listen = { open: async () => ({ acknowledged: ACK, tell, abandon: () => order.push('abandoned') }) }
  const notify = (note: object) => void order.push(note === ACK ? 'acknowledged' : 'another note')
  return { rooms: { listen } as unknown as Partial<Rooms>, call: inbound({ method: 'subscriptions/listen', notify }) }
}

test('a stream that lasts is on record before its first word, and not again when it ends', async () => {
  const order: string[] = []
  kept.length = 0
  const record = { append: async (one: MessageRecord) => (kept.push(one), void order.push('recorded')) }
  const { rooms: own, call } = listening(order)
  const { text } = await walkWith(own, record)(call)
  assert.equal(order, ['recorded', 'acknowledged', 'told'])
  assert.equal(JSON.parse(text ?? '').result, { resultType: 'complete' })
  assert.is(kept[0]?.response?.text, JSON.stringify(ACK))
  assert.is(kept.length, 1)
})

test('a stream that cannot be put on record does not begin', async () => {
  const order: string[] = []
  const full = { append: () => Promise.reject(new GatehouseError('GH_RECORD_FULL')) }
  const { rooms: own, call } = listening(order)
  const { status } = await walkWith(own, full)(call)
  assert.equal([status, order], [503, ['abandoned']])
})

test('a method that nobody knows reaches no server', async () => {
  const { text } = await walkWith()(inbound({ method: 'tools/destroy' }))
  assert.is(JSON.parse(text ?? '').error.code, -32601)
  assert.equal(visited, ['authenticate', 'session'])
})

test.run()
