import { HOOKS, type FailurePolicy, type HookCall, type HookName } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { settle, type Fault, type HookRow, type Settled } from './settle.js'
import { FITTING, MALFORMED, registration } from './testing.js'

const names = Object.keys(HOOKS) as HookName[]
const soon = () => Date.now() + 5
// oxlint-disable-next-line unicorn/no-thenable -- what has a then is what these laws are about
const THEN = 'then'
const far = () => Date.now() + 60_000

async function faultOf(settled: Settled<unknown> | Promise<Settled<unknown>>): Promise<Fault> {
  const done = await settled
  if (done.ok) throw new Error(`settled as an answer: ${JSON.stringify(done.value)}`)
  return done.fault
}

interface Failure {
  readonly name: string
  readonly failure: Fault['failure']
  readonly handler: (payload: unknown, call: HookCall) => unknown
  readonly deadline?: () => number
  /** Whether a hook can fail in this way at all. */
  readonly applies?: (hook: HookName) => boolean
}

const takesNothing = (hook: HookName) => HOOKS[hook].answer.safeParse(undefined).success
const isSequential = (hook: HookName) => HOOKS[hook].kind === 'sequential'
const rejecting = (thrown: unknown) => () => Promise.reject(thrown as Error)
const throwing = (thrown: unknown) => () => {
  throw thrown
}
const hostileError = () => {
  const error = new Error('x')
  Object.defineProperty(error, 'message', { get: throwing(new Error('again')) })
  return error
}
const blocking = (answer: unknown) => (_: unknown, call: HookCall) => {
  while (Date.now() <= call.deadline);
  return answer
}

const FAILURES: readonly Failure[] = [
  { name: 'throws', failure: 'threw', handler: throwing(new Error('boom')) },
  { name: 'throws what is no Error', failure: 'threw', handler: throwing('boom') },
  { name: 'throws undefined', failure: 'threw', handler: throwing(undefined) },
  { name: 'throws an Error that throws when it is read', failure: 'threw', handler: throwing(hostileError()) },
  { name: 'rejects', failure: 'rejected', handler: rejecting(new Error('boom')) },
  { name: 'rejects with what is no Error', failure: 'rejected', handler: rejecting({ no: 'error' }) },
  { name: 'never answers', failure: 'late', handler: () => new Promise(() => {}), deadline: soon },
  {
    name: 'rejects because its signal was aborted at the deadline',
    failure: 'late',
    handler: (_, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    deadline: soon,
  },
  { name: 'answers nothing', failure: 'nothing', handler: () => undefined, applies: (hook) => !takesNothing(hook) },
  {
    name: 'promises nothing',
    failure: 'nothing',
    handler: () => Promise.resolve(undefined),
    applies: (hook) => !takesNothing(hook),
  },
  ...MALFORMED.flatMap((answer): Failure[] => {
    const text = JSON.stringify(answer) ?? typeof answer
    return [
      { name: `answers ${text}`, failure: 'malformed', handler: () => answer },
      { name: `promises ${text}`, failure: 'malformed', handler: () => Promise.resolve(answer) },
    ]
  }),
  {
    name: 'answers what throws when it is read',
    failure: 'malformed',
    handler: () => new Proxy({}, { get: (_, key) => (key === 'then' ? undefined : throwing(new Error('trap'))()) }),
  },
  {
    name: 'answers what throws when asked whether it is a promise',
    failure: 'threw',
    handler: () => Object.defineProperty({}, THEN, { get: throwing(new Error('trap')) }),
  },
  {
    name: 'promises what throws when it is waited for',
    failure: 'rejected',
    handler: () => Object.defineProperty(Promise.resolve(), THEN, { value: throwing(new Error('trap')) }),
  },
  {
    name: 'promises a patch outside the writable fields',
    failure: 'forbidden_field',
    handler: () => Promise.resolve({ verdict: 'modify', patch: { principal: {} } }),
    applies: isSequential,
  },
  {
    name: 'writes one field that it may and one that it may not',
    failure: 'forbidden_field',
    handler: () => ({ verdict: 'modify', patch: { context: {} } }),
    applies: isSequential,
  },
]

for (const hook of names) {
  for (const policy of ['closed', 'open'] as const satisfies readonly FailurePolicy[]) {
    test(`${hook}, ${policy}: every failure becomes a fault with that policy`, async () => {
      for (const { name, failure, handler, deadline = far, applies = () => true } of FAILURES) {
        if (!applies(hook)) continue
        const fault = await faultOf(settle(registration(hook, handler, { onFailure: policy }), {}, deadline()))
        assert.is(fault.failure, failure, `${hook} ${name}`)
        assert.equal([fault.plugin, fault.hook, fault.policy], ['acme-test', hook, policy])
      }
    })
  }

  test(`${hook}: an answer that fits is settled as it is, at once or later`, async () => {
    const answer = FITTING[hook]
    const atOnce = settle(
      registration(hook, () => answer),
      {},
      far(),
    )
    assert.not.instance(atOnce, Promise)
    assert.is((atOnce as { value: unknown }).value, answer)
    const later = await settle(
      registration(hook, async () => answer),
      {},
      far(),
    )
    assert.is((later as { value: unknown }).value, answer)
  })

  test(`${hook}: a fitting answer that came after the deadline is late, at once or later`, async () => {
    const answer = FITTING[hook]
    const atOnce = settle(registration(hook, blocking(answer)), {}, Date.now() + 2)
    assert.is((await faultOf(atOnce)).failure, 'late')
    const later = settle(
      registration(hook, (p: unknown, c: HookCall) => Promise.resolve(blocking(answer)(p, c))),
      {},
      Date.now() + 2,
    )
    assert.is((await faultOf(later)).failure, 'late')
  })

  test(`${hook}: the policy of the table is the one in the fault`, async () => {
    const fault = await faultOf(settle(registration(hook, throwing(new Error('boom'))), {}, far()))
    assert.is(fault.policy, HOOKS[hook].onFailure)
  })
}

const PATCHES: Readonly<Record<string, readonly unknown[]>> = {
  'identity.enrich': [{ attributes: { a: 1 } }, { attributes: { a: 'x'.repeat(257) } }, { attributes: undefined }],
  'feature.list': [{ entries: 7 }, { entries: [7] }, { entries: [null] }, { entries: undefined }],
  'feature.request': [{ params: [] }, { params: null }, { params: 'text' }, { params: undefined }],
  'feature.response': [{ result: [] }, { result: null }, { result: undefined }],
}

for (const hook of names.filter(isSequential)) {
  test(`${hook}: a writable field with a value of another type is malformed`, async () => {
    const patches = PATCHES[hook] ?? []
    assert.ok(patches.length > 0, 'the hook has patches to try')
    for (const patch of patches) {
      const fault = await faultOf(
        settle(
          registration(hook, () => ({ verdict: 'modify', patch })),
          {},
          far(),
        ),
      )
      assert.is(fault.failure, 'malformed', JSON.stringify(patch))
    }
  })
}

test('a Promise that throws when it is waited for is a rejection, and nothing more', async () => {
  for (const key of [THEN, 'constructor']) {
    let looked = 0
    // The first look finds out that it is one to wait for.
    const get = () => (key === THEN && looked++ === 0 ? () => {} : throwing(new Error('trap'))())
    const answer = Object.defineProperty(Promise.resolve({}), key, { get })
    const settled = await settle(
      registration('auth.identify', () => answer),
      {},
      Date.now() + 1_000,
    )
    assert.is(settled.ok ? 'ok' : settled.fault.failure, 'rejected')
  }
})

test('a thenable that is no Promise is awaited like one', async () => {
  const thenable = Object.fromEntries([
    [THEN, (resolve: (value: unknown) => void) => resolve(FITTING['auth.identify'])],
  ])
  const settled = await settle(
    registration('auth.identify', () => thenable),
    {},
    far(),
  )
  assert.ok(settled.ok)
})

test('an answer nested too deeply to be checked is a fault and no crash', async () => {
  let message: unknown = 0
  for (let n = 0; n < 100_000; n++) message = [message]
  const handler = () => ({ verdict: 'modify', patch: { message } })
  assert.is((await faultOf(settle(registration('engine.evaluate', handler), {}, far()))).failure, 'malformed')
})

test('a rejection after the deadline reaches nobody', async () => {
  let reject: (why: Error) => void = () => {}
  const handler = () => new Promise((_, no) => (reject = no))
  assert.is((await faultOf(settle(registration('auth.identify', handler), {}, soon()))).failure, 'late')
  // An unhandled rejection would end this process with a failure.
  reject(new Error('too late'))
  await new Promise((resolve) => setImmediate(resolve))
})

test('the detail of a fault is bounded', async () => {
  const fault = await faultOf(settle(registration('auth.identify', throwing(new Error('x'.repeat(9_000)))), {}, far()))
  assert.is(fault.detail.length, 500)
})

/** Counts what is made while `work` runs. */
function counting(work: () => void): number {
  const Original = globalThis.AbortController
  let made = 0
  globalThis.AbortController = class extends Original {
    constructor() {
      super()
      made += 1
    }
  }
  try {
    work()
  } finally {
    globalThis.AbortController = Original
  }
  return made
}

test('a signal is made only for a handler that asks for it, and only once', () => {
  const row: Partial<HookRow> = {}
  assert.is(
    counting(
      () =>
        void settle(
          registration('auth.identify', () => FITTING['auth.identify'], row),
          {},
          far(),
        ),
    ),
    0,
  )
  const twice = (_: unknown, call: HookCall) => {
    assert.is(call.signal, call.signal)
    return FITTING['auth.identify']
  }
  assert.is(
    counting(() => assert.ok((settle(registration('auth.identify', twice), {}, far()) as Settled<unknown>).ok)),
    1,
  )
})

test('the signal is aborted when the answer has come, so that what still runs for it stops', () => {
  let signal: AbortSignal | undefined
  const handler = (_: unknown, call: HookCall) => {
    signal = call.signal
    assert.not(signal.aborted)
    return FITTING['auth.identify']
  }
  settle(registration('auth.identify', handler), {}, far())
  assert.ok(signal?.aborted)
})

test('a signal that is asked for after the answer is aborted from the start', () => {
  let call: HookCall | undefined
  settle(
    registration('auth.identify', (_: unknown, given: HookCall) => {
      call = given
      return FITTING['auth.identify']
    }),
    {},
    far(),
  )
  assert.ok(call?.signal.aborted)
})

test('the signal is aborted at the deadline', async () => {
  const at = soon()
  let abortedAt = 0
  const handler = (_: unknown, { signal }: HookCall) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => {
        abortedAt = Date.now()
        resolve(FITTING['auth.identify'])
      }),
    )
  await settle(registration('auth.identify', handler), {}, at)
  // Timers may be a millisecond ahead of the clock.
  assert.ok(abortedAt >= at - 2 && abortedAt < at + 2_000, `${abortedAt - at}`)
})

test('the parent aborts the signal of a handler that asked for it, and is not made otherwise', async () => {
  const parent = new AbortController()
  let asked = 0
  const lend = () => {
    asked += 1
    return parent.signal
  }
  settle(
    registration('auth.identify', () => FITTING['auth.identify']),
    {},
    far(),
    lend,
  )
  assert.is(asked, 0)
  const heeding = (_: unknown, { signal }: HookCall) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('gone'))))
  const settled = settle(registration('auth.identify', heeding), {}, far(), lend)
  parent.abort()
  assert.is((await faultOf(settled)).failure, 'given_up')
  assert.is(asked, 1)
})

test.run()
