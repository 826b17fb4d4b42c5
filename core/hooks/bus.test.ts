import {
  block,
  modify,
  notMine,
  pass,
  undecided,
  type RaisedAlert,
  type Enrichment,
  type HookCall,
} from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createRegistry, type Bus, type HookRows, type Registry } from './bus.js'
import type { Fault } from './settle.js'
import { bend, FITTING, failuresOf } from './testing.js'

const goodbye = { idp: { id: '1', slug: 'acme', config: {} }, idToken: null, returnTo: 'https://gw.example.com' }

/** A bus with what `register` adds, and the faults that it told of. */
function busOf(register: (registry: Registry) => void, table?: HookRows): { bus: Bus; faults: Fault[] } {
  const faults: Fault[] = []
  const registry = createRegistry((fault) => void faults.push(fault), table)
  register(registry)
  return { bus: registry.seal(), faults }
}

const enrichment = (attributes: Enrichment['attributes'] = {}): Enrichment => ({
  principal: {
    user: null,
    host: { id: 'h', name: 'H', kind: 'token' },
    connection: { id: 'c', gatewayId: 'g' },
    attributes: {},
  },
  attributes,
})
const credentials = () => ({ authorization: 'Bearer x', header: () => undefined, address: '::1', gatewayId: null })
const at = new Date(0).toISOString()
const alert = (): RaisedAlert => ({
  ...{ type: 'rule_blocked', severity: 'info', key: 'k', message: 'm' },
  ...{ id: 'a', count: 1, state: 'open', firstAt: at, lastAt: at },
})
const token = (digit: string) => ({ kind: 'token' as const, hash: digit.repeat(64) })
const never = () => new Promise<never>(() => {})
const boom = () => {
  throw new Error('boom')
}

/** Adds `name` to the list in `attributes.seen`. */
const sees = (name: string) => (payload: Enrichment) =>
  modify({ attributes: { ...payload.attributes, seen: `${payload.attributes['seen'] ?? ''}${name}` } })

test('pre comes first, post last, and among equals the order of registration holds', async () => {
  const { bus } = busOf((registry) => {
    registry.add('p-a', 'identity.enrich', sees('a'), 'normal')
    registry.add('p-b', 'identity.enrich', sees('b'), 'post')
    registry.add('p-c', 'identity.enrich', sees('c'), 'pre')
    registry.add('p-d', 'identity.enrich', sees('d'), 'normal')
    registry.add('p-e', 'identity.enrich', sees('e'), 'pre')
    registry.add('p-f', 'identity.enrich', sees('f'), 'post')
  })
  const passed = await bus.sequential('identity.enrich', enrichment())
  assert.is(passed.blocked ? '' : passed.payload.attributes['seen'], 'ceadbf')
  assert.equal(bus.order(), [{ hook: 'identity.enrich', handlers: ['p-c', 'p-e', 'p-a', 'p-d', 'p-b', 'p-f'] }])
})

test('each handler sees what the former left, whether it answers at once or later', async () => {
  const { bus } = busOf((registry) => {
    registry.add('p-a', 'identity.enrich', sees('a'), 'normal')
    registry.add('p-b', 'identity.enrich', async (payload) => sees('b')(payload), 'normal')
    registry.add('p-c', 'identity.enrich', () => pass(), 'normal')
    registry.add('p-d', 'identity.enrich', sees('d'), 'normal')
  })
  const given = enrichment({ kept: 'yes' })
  const passed = await bus.sequential('identity.enrich', given)
  assert.equal(passed, { blocked: false, payload: { ...given, attributes: { kept: 'yes', seen: 'abd' } } })
  assert.equal(given.attributes, { kept: 'yes' }, 'what was given is not changed')
})

test('a block ends the run and names who blocked; its reason is cut', async () => {
  let asked = false
  const { bus, faults } = busOf((registry) => {
    registry.add('p-a', 'identity.enrich', () => block('x'.repeat(600)), 'normal')
    registry.add('p-b', 'identity.enrich', () => ((asked = true), pass()), 'normal')
  })
  const passed = await bus.sequential('identity.enrich', enrichment())
  assert.equal(passed, { blocked: true, plugin: 'p-a', reason: 'x'.repeat(500), failed: false })
  assert.not(asked)
  assert.equal(faults, [])
})

for (const [name, handler, failure] of [
  ['a throw', boom, 'threw'],
  ['a rejection', () => Promise.reject(new Error('boom')), 'rejected'],
  ['a malformed answer', () => 'pass', 'malformed'],
  ['a forbidden field', () => modify({ principal: 'me' }), 'forbidden_field'],
  ['a late answer', never, 'late'],
  ['an undecided verdict', () => undecided('no idea'), 'undecided'],
] as const) {
  const registering = (registry: Registry) => {
    registry.add('p-a', 'identity.enrich', handler as never, 'normal')
    registry.add('p-b', 'identity.enrich', sees('b'), 'normal')
  }
  test(`closed: ${name} blocks, asks nobody else, and is told`, async () => {
    const { bus, faults } = busOf(registering, bend({ 'identity.enrich': { deadlineMs: 20 } }))
    const passed = await bus.sequential('identity.enrich', enrichment())
    assert.equal(passed, { blocked: true, plugin: 'p-a', reason: 'A check could not be completed.', failed: true })
    assert.equal(failuresOf(faults), [failure])
  })
  if (failure === 'late') continue
  test(`open: ${name} goes on as if the handler were not there, and is told`, async () => {
    const { bus, faults } = busOf(registering, bend({ 'identity.enrich': { onFailure: 'open' } }))
    const passed = await bus.sequential('identity.enrich', enrichment())
    assert.equal(passed.blocked ? null : passed.payload.attributes, { seen: 'b' })
    assert.equal(failuresOf(faults), [failure])
    assert.is(faults[0]?.policy, 'open')
  })
}

test('the message of an undecided verdict goes to the log and not to the client', async () => {
  const { bus, faults } = busOf((registry) =>
    registry.add('p-a', 'identity.enrich', () => undecided('the vault of a@example.com'), 'normal'),
  )
  const passed = await bus.sequential('identity.enrich', enrichment())
  assert.not.match(JSON.stringify(passed), 'example.com')
  assert.is(faults[0]?.detail, 'the vault of a@example.com')
})

test('what is given up by whoever asked is no fault of the handler, and is not told', async () => {
  const { bus, faults } = busOf(
    (registry) => registry.serve('p-a', 'engine.evaluate', 'slow', () => new Promise(() => {}), {}),
    bend({ 'engine.evaluate': { deadlineMs: 20 } }),
  )
  const ask = (parent?: () => AbortSignal) => bus.keyed('engine.evaluate', 'slow')?.ask({} as never, { parent })
  const given = await ask(() => AbortSignal.abort())
  assert.is(given?.ok === false && given.fault.failure, 'given_up')
  assert.equal(faults, [])
  await ask()
  assert.equal(failuresOf(faults), ['late'])
})

test('a run may have a deadline of its own in the place of the hook’s', async () => {
  const { bus } = busOf(
    (registry) =>
      registry.serve(
        'p-a',
        'engine.evaluate',
        'slow',
        (_, { deadline }) => {
          return { verdict: 'undecided', message: String(deadline - Date.now()) }
        },
        {},
      ),
    bend({ 'engine.evaluate': { deadlineMs: 20 } }),
  )
  const answer = await bus.keyed('engine.evaluate', 'slow')?.ask({} as never, { within: 60_000 })
  assert.ok(answer?.ok && answer.value.verdict === 'undecided' && Number(answer.value.message) > 50_000)
})

test('first: the first answer that is not notMine ends it', async () => {
  const asked: string[] = []
  const { bus } = busOf((registry) => {
    registry.add('p-a', 'auth.identify', () => (asked.push('a'), notMine()), 'normal')
    registry.add('p-b', 'auth.identify', async () => (asked.push('b'), notMine()), 'normal')
    registry.add('p-c', 'auth.identify', () => (asked.push('c'), token('c')), 'normal')
    registry.add('p-d', 'auth.identify', () => (asked.push('d'), token('d')), 'normal')
  })
  assert.equal(await bus.first('auth.identify', credentials()), token('c'))
  assert.equal(asked, ['a', 'b', 'c'])
})

test('first: a refusal ends it too', async () => {
  const { bus } = busOf((registry) => {
    registry.add('p-a', 'auth.identify', () => ({ kind: 'refused', reason: 'bad' }), 'normal')
    registry.add('p-b', 'auth.identify', () => token('b'), 'normal')
  })
  assert.equal(await bus.first('auth.identify', credentials()), { kind: 'refused', reason: 'bad' })
})

test('first: when nobody claims it, it is notMine', async () => {
  const { bus } = busOf((registry) => {
    registry.add('p-a', 'auth.identify', notMine, 'normal')
    registry.add('p-b', 'auth.identify', async () => notMine(), 'normal')
  })
  assert.equal(await bus.first('auth.identify', credentials()), { kind: 'notMine' })
})

for (const [name, failing] of [
  ['at once', boom],
  ['later', () => Promise.reject(new Error('boom'))],
] as const) {
  const registering = (registry: Registry) => {
    registry.add('p-a', 'auth.identify', failing, 'normal')
    registry.add('p-b', 'auth.identify', () => token('b'), 'normal')
  }
  test(`first, closed: who fails ${name} refuses; nobody behind may let the caller in`, async () => {
    const { bus, faults } = busOf(registering)
    const answer = await bus.first('auth.identify', credentials())
    assert.is(answer.kind, 'refused')
    assert.not.match(JSON.stringify(answer), 'boom')
    assert.is(faults.length, 1)
  })
  test(`first, open: who fails ${name} is passed over`, async () => {
    const { bus, faults } = busOf(registering, bend({ 'auth.identify': { onFailure: 'open' } }))
    assert.equal(await bus.first('auth.identify', credentials()), token('b'))
    assert.is(faults.length, 1)
  })
}

test('parallel: all see the same payload, answers keep the order of the list, a failure spoils only its own', async () => {
  const seen: unknown[] = []
  let finish = () => {}
  const { bus, faults } = busOf((registry) => {
    registry.add(
      'p-a',
      'alert.raised',
      (payload) => (seen.push(payload), new Promise<void>((done) => (finish = done))),
      'normal',
    )
    registry.add('p-b', 'alert.raised', boom, 'normal')
    registry.add('p-c', 'alert.raised', (payload) => (seen.push(payload), finish()), 'normal')
  })
  const settled = await bus.parallel('alert.raised', alert())
  assert.equal(
    settled.map((one) => one.ok),
    [true, false, true],
  )
  assert.is(seen.length, 2)
  assert.is(seen[0], seen[1])
  assert.equal(
    faults.map((fault) => fault.plugin),
    ['p-b'],
  )
})

test('parallel: no handler waits for another', async () => {
  const meet: (() => void)[] = []
  const both = () =>
    new Promise<void>((done) => {
      meet.push(done)
      if (meet.length === 2) for (const go of meet) go()
    })
  const { bus } = busOf((registry) => {
    registry.add('p-a', 'alert.raised', both, 'normal')
    registry.add('p-b', 'alert.raised', both, 'normal')
  })
  assert.is(
    (await bus.parallel('alert.raised', alert())).every((one) => one.ok),
    true,
  )
})

test('keyed: exactly one handler for a key, found by its key and no other', async () => {
  const { bus } = busOf((registry) => {
    registry.serve('p-a', 'exporter.deliver', 'a', () => ({ kind: 'delivered' }), { secret: ['token'] })
    registry.serve('p-b', 'exporter.deliver', 'b', async () => ({ kind: 'rejected', message: 'no' }), {})
    registry.serve('p-b', 'alert.deliver', 'a', () => ({ kind: 'delivered' }), {})
  })
  const payload = {
    exporter: { id: 'e', name: 'E', config: {} },
    rows: [],
    attempt: 1,
    service: { name: 'g', version: '1' },
  }
  const a = bus.keyed('exporter.deliver', 'a')
  assert.equal([a?.plugin, a?.options], ['p-a', { secret: ['token'] }])
  assert.equal(a?.ask(payload), { ok: true, value: { kind: 'delivered' } })
  assert.equal(await bus.keyed('exporter.deliver', 'b')?.ask(payload), {
    ok: true,
    value: { kind: 'rejected', message: 'no' },
  })
  assert.is(bus.keyed('exporter.deliver', 'c'), undefined)
  assert.equal(bus.keys('exporter.deliver'), ['a', 'b'])
  assert.equal(bus.order(), [
    { hook: 'exporter.deliver', handlers: ['a: p-a', 'b: p-b'] },
    { hook: 'alert.deliver', handlers: ['a: p-b'] },
  ])
})

test('keyed: a failure is settled and told', async () => {
  const { bus, faults } = busOf((registry) => registry.serve('p-a', 'idp.logout', 'k', boom, {}))
  const settled = await bus.keyed('idp.logout', 'k')?.ask(goodbye)
  assert.is(settled?.ok, false)
  assert.equal(failuresOf(faults), ['threw'])
})

test('a key that is taken is refused and names who serves it', () => {
  busOf((registry) => {
    registry.serve('p-a', 'engine.test', 'regex', boom, {})
    assert.throws(
      () => registry.serve('p-b', 'engine.test', 'regex', boom, {}),
      /'regex' of 'engine.test' is already served by p-a/,
    )
  })
})

test('what no plugin may register is refused', () => {
  busOf((registry) => {
    const add = registry.add as (...given: unknown[]) => void
    const serve = registry.serve as (...given: unknown[]) => void
    assert.throws(() => add('p-a', 'engine.test', boom, 'normal'), /serve\(\)/)
    assert.throws(() => serve('p-a', 'auth.identify', 'k', boom, {}), /on\(\)/)
    assert.throws(() => add('p-a', 'auth.identfy', boom, 'normal'), /no hook 'auth.identfy'/)
    for (const name of ['constructor', 'toString', '__proto__'])
      assert.throws(() => add('p-a', name, boom, 'normal'), /no hook/)
    assert.throws(() => add('p-a', 'auth.identify', {}, 'normal'), /not a function/)
    assert.throws(() => add('p-a', 'auth.identify', boom, 'early'), /'pre' or 'post'/)
    assert.throws(() => serve('p-a', 'engine.test', '', boom, {}), /not empty/)
  })
})

test('seal ends registration', () => {
  const registry = createRegistry(() => {})
  registry.seal()
  assert.throws(() => registry.add('p-a', 'auth.identify', notMine, 'normal'), /has ended/)
  assert.throws(() => registry.serve('p-a', 'engine.test', 'k', boom, {}), /has ended/)
})

test('removeAll takes back what one plugin registered and nothing else', async () => {
  const { bus } = busOf((registry) => {
    registry.add('p-a', 'auth.identify', () => token('a'), 'normal')
    registry.add('p-b', 'auth.identify', () => token('b'), 'normal')
    registry.serve('p-a', 'engine.test', 'a', boom, {})
    registry.serve('p-b', 'engine.test', 'b', boom, {})
    registry.removeAll('p-a')
    registry.serve('p-b', 'engine.test', 'a', boom, {})
  })
  assert.equal(await bus.first('auth.identify', credentials()), token('b'))
  assert.is(bus.keyed('engine.test', 'a')?.plugin, 'p-b')
})

test('a hook without handlers costs nothing: no promise, the payload itself, nothing frozen', () => {
  const { bus } = busOf(() => {})
  const payload = enrichment()
  const passed = bus.sequential('identity.enrich', payload)
  assert.not.instance(passed, Promise)
  assert.is((passed as { payload: unknown }).payload, payload)
  assert.not(Object.isFrozen(payload))
  assert.not.instance(bus.first('auth.identify', credentials()), Promise)
  assert.is(bus.first('auth.identify', credentials()), bus.first('auth.identify', credentials()))
  assert.equal(bus.parallel('alert.raised', alert()), [])
  assert.not(bus.has('auth.identify'))
})

test('when every handler answers at once, so does the bus', () => {
  const { bus } = busOf((registry) => {
    registry.add('p-a', 'identity.enrich', sees('a'), 'normal')
    registry.add('p-b', 'identity.enrich', () => pass(), 'normal')
    registry.add('p-a', 'auth.identify', notMine, 'normal')
    registry.add('p-b', 'auth.identify', () => token('b'), 'normal')
    registry.add('p-a', 'alert.raised', () => undefined, 'normal')
    registry.serve('p-a', 'idp.logout', 'k', () => ({ url: null }), {})
  })
  assert.not.instance(bus.sequential('identity.enrich', enrichment()), Promise)
  assert.not.instance(bus.first('auth.identify', credentials()), Promise)
  assert.not.instance(bus.parallel('alert.raised', alert()), Promise)
  assert.not.instance(bus.keyed('idp.logout', 'k')?.ask(goodbye), Promise)
})

test('payloads are frozen: a handler that writes to one fails and is settled', async () => {
  const writing = (payload: unknown) => {
    ;(payload as Record<string, unknown>)['attributes'] = { role: 'super-admin' }
    return pass()
  }
  for (const before of [[], [sees('a')]]) {
    const { bus, faults } = busOf((registry) => {
      for (const handler of before) registry.add('p-a', 'identity.enrich', handler, 'normal')
      registry.add('p-b', 'identity.enrich', writing, 'normal')
    })
    assert.is((await bus.sequential('identity.enrich', enrichment())).blocked, true)
    assert.equal(failuresOf(faults), ['threw'])
  }
  const { bus, faults } = busOf((registry) => {
    registry.add('p-a', 'auth.identify', notMine, 'normal')
    registry.add('p-b', 'auth.identify', writing as never, 'normal')
    registry.add('p-b', 'alert.raised', writing as never, 'normal')
    registry.serve('p-b', 'idp.logout', 'k', writing as never, {})
  })
  assert.is((await bus.first('auth.identify', credentials())).kind, 'refused')
  await bus.parallel('alert.raised', alert())
  await bus.keyed('idp.logout', 'k')?.ask(goodbye)
  assert.equal(failuresOf(faults), ['threw', 'threw', 'threw'])
})

test('all handlers of one run share one deadline', async () => {
  const deadlines: number[] = []
  const noting = (_: unknown, call: HookCall) => (deadlines.push(call.deadline), notMine())
  const slow = (payload: unknown, call: HookCall) =>
    new Promise<ReturnType<typeof notMine>>((done) => setTimeout(() => done(noting(payload, call)), 15))
  const { bus } = busOf((registry) => {
    registry.add('p-a', 'auth.identify', slow, 'normal')
    registry.add('p-b', 'auth.identify', slow, 'normal')
    registry.add('p-c', 'auth.identify', noting, 'normal')
  })
  await bus.first('auth.identify', credentials())
  assert.is(deadlines.length, 3)
  assert.is(new Set(deadlines).size, 1, String(deadlines))
})

test('time that the first handler used up is not given to the next', async () => {
  let secondAsked = false
  const slow = () => new Promise<ReturnType<typeof token>>((done) => setTimeout(() => done(token('b')), 60))
  const { bus, faults } = busOf(
    (registry) => {
      registry.add('p-a', 'auth.identify', never, 'normal')
      registry.add('p-b', 'auth.identify', () => ((secondAsked = true), slow()), 'normal')
    },
    bend({ 'auth.identify': { deadlineMs: 100, onFailure: 'open' } }),
  )
  assert.equal(await bus.first('auth.identify', credentials()), { kind: 'notMine' })
  assert.ok(secondAsked)
  assert.equal(failuresOf(faults), ['late', 'late'])
})

test('a run ends at the call’s own deadline when that is nearer than the table’s', async () => {
  const deadline = Date.now() + 10
  const seen: number[] = []
  const { bus, faults } = busOf((registry) =>
    registry.add('p-a', 'identity.enrich', (_, call) => (seen.push(call.deadline), never()), 'normal'),
  )
  await bus.sequential('identity.enrich', enrichment(), { deadline })
  assert.equal(seen, [deadline])
  assert.equal(failuresOf(faults), ['late'])
})

test('a call’s far deadline does not stretch the table’s', async () => {
  const seen: number[] = []
  const { bus } = busOf((registry) =>
    registry.add('p-a', 'auth.identify', (_, call) => (seen.push(call.deadline), token('a')), 'normal'),
  )
  const before = Date.now()
  await bus.first('auth.identify', credentials(), { deadline: before + 9_000_000 })
  assert.ok((seen[0] ?? 0) >= before + 5_000 && (seen[0] ?? 0) <= Date.now() + 5_000)
})

test('what is registered under one hook is asked under no other', async () => {
  const { bus } = busOf((registry) =>
    registry.add('p-a', 'auth.identify', () => FITTING['auth.identify'] as never, 'normal'),
  )
  assert.not(bus.has('upstream.credentials'))
  assert.ok(bus.has('auth.identify'))
})

test.run()
