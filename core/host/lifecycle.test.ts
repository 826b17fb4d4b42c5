import { notMine, type PluginContext } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { hostFor, pluginOf } from './testing.js'

/** The refusal of a start; its message is what the operator reads. */
async function refusal(started: Promise<unknown>): Promise<GatehouseError> {
  const thrown = await started.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.instance(thrown, GatehouseError)
  assert.is((thrown as GatehouseError).code, 'GH_HOST_PLUGIN')
  return thrown as GatehouseError
}
const boom = () => {
  throw new Error('boom')
}
const credentials = () => ({ authorization: undefined, header: () => undefined, address: '::1', gatewayId: null })
const never = () => new Promise<void>(() => {})

test('plugins are set up in the order of the list, each after those it depends on', async () => {
  const order: string[] = []
  const noting = (id: string, dependsOn?: string[]) => pluginOf(id, () => void order.push(id), dependsOn)
  const host = await hostFor().start([
    noting('p-a'),
    noting('p-b', ['p-d', 'p-c']),
    noting('p-c', ['p-d']),
    noting('p-d'),
    noting('p-e'),
  ])
  assert.equal(order, ['p-a', 'p-d', 'p-c', 'p-b', 'p-e'])
  assert.equal(host.plugins, order)
})

test('one setup has ended before the next begins', async () => {
  const order: string[] = []
  const slow = pluginOf('p-a', async () => {
    await new Promise((resolve) => setImmediate(resolve))
    order.push('a')
  })
  await hostFor().start([slow, pluginOf('p-b', () => void order.push('b'))])
  assert.equal(order, ['a', 'b'])
})

test('a dependency that is not listed refuses the start and is named', async () => {
  const { message } = await refusal(hostFor().start([pluginOf('p-a', undefined, ['p-b'])]))
  assert.is(message, "Plugin 'p-a' needs 'p-b', which is not in the plugins list")
})

test('a cycle refuses the start and is shown, without those who only lead to it', async () => {
  const plugins = [
    pluginOf('p-x', undefined, ['p-a']),
    pluginOf('p-a', undefined, ['p-b']),
    pluginOf('p-b', undefined, ['p-a']),
  ]
  const { message } = await refusal(hostFor().start(plugins))
  assert.match(message, 'depends on itself: p-a -> p-b -> p-a')
  assert.match((await refusal(hostFor().start([pluginOf('p-a', undefined, ['p-a'])]))).message, 'p-a -> p-a')
})

test('an id that is listed twice refuses the start before anything is set up', async () => {
  let setups = 0
  const count = () => void (setups += 1)
  const { message } = await refusal(hostFor().start([pluginOf('p-a', count), pluginOf('p-a', count)]))
  assert.is(message, "Plugin 'p-a' is listed twice")
  assert.is(setups, 0)
})

test('a setup that hangs refuses the start within its deadline', async () => {
  const { message } = await refusal(hostFor().start([pluginOf('p-a', never)]))
  assert.is(message, "Plugin 'p-a' could not be set up: setup took longer than 30 ms")
})

test('what a setup opened that comes back too late is stopped', async () => {
  let wake = () => {}
  const awake = new Promise<void>((resolve) => (wake = resolve))
  const stopped = new Promise<string>((resolve) => {
    const late = pluginOf('p-a', async () => {
      await awake
      return { stop: () => resolve('stopped') }
    })
    void refusal(hostFor().start([late])).then(wake)
  })
  assert.is(await stopped, 'stopped')
})

for (const [name, setup] of [
  ['throws', boom],
  ['rejects', () => Promise.reject(new Error('boom'))],
  ['throws what is no Error', () => Promise.reject('boom' as unknown as Error)],
] as const) {
  test(`a setup that ${name} refuses the start and stops the others in reverse`, async () => {
    const stopped: string[] = []
    const stopping = (id: string) => pluginOf(id, () => ({ stop: () => void stopped.push(id) }))
    const { message } = await refusal(
      hostFor().start([stopping('p-a'), stopping('p-b'), pluginOf('p-c', setup), stopping('p-d')]),
    )
    assert.match(message, /^Plugin 'p-c' could not be set up: (boom|threw string)$/)
    assert.equal(stopped, ['p-b', 'p-a'])
  })
}

for (const [name, rubbish] of Object.entries({
  'a number': 7,
  null: null,
  'a function': () => {},
  'a text': 'stop',
  'an object whose stop is no function': { stop: true },
})) {
  test(`a setup that returns ${name} refuses the start`, async () => {
    const { message } = await refusal(hostFor().start([pluginOf('p-a', () => rubbish as never)]))
    assert.match(message, 'setup must return nothing or an object with stop()')
  })
}

test('a setup may return nothing, or an object without stop', async () => {
  const host = await hostFor().start([pluginOf('p-a'), pluginOf('p-b', () => ({}))])
  await host.stop()
})

test('plugins are stopped in reverse, though one throws and one hangs, and both are logged', async () => {
  const stopped: string[] = []
  const { start, logged } = hostFor()
  const host = await start([
    pluginOf('p-a', () => ({ stop: () => void stopped.push('a') })),
    pluginOf('p-b', () => ({ stop: boom })),
    pluginOf('p-c', () => ({ stop: () => (stopped.push('c'), never()) })),
    pluginOf('p-d', () => ({ stop: async () => void stopped.push('d') })),
  ])
  await host.stop()
  assert.equal(stopped, ['d', 'c', 'a'])
  assert.equal(
    logged.map(({ fields }) => [fields['plugin'], fields['reason']]),
    [
      ['p-c', 'stop took longer than 30 ms'],
      ['p-b', 'boom'],
    ],
  )
})

test('who stops the host twice waits for the one stop there is', async () => {
  let stops = 0
  let finish = () => {}
  const slow = () => ((stops += 1), new Promise<void>((resolve) => (finish = resolve)))
  const host = await hostFor().start([pluginOf('p-a', () => ({ stop: slow }))])
  const both = [host.stop(), host.stop()]
  let ended = false
  void both[1]?.then(() => (ended = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.not(ended)
  finish()
  await Promise.all(both)
  assert.is(stops, 1)
})

test('handlers are registered during setup only', async () => {
  const kept: PluginContext<unknown>[] = []
  const host = await hostFor().start([pluginOf('p-a', (context) => void kept.push(context))])
  assert.throws(() => kept[0]?.on('auth.identify', notMine), /during setup only/)
  assert.throws(() => kept[0]?.serve('idp.logout', 'k', () => ({ url: null })), /during setup only/)
  assert.not(host.bus.has('auth.identify'))
})

test('a setup that was given up cannot register any more', async () => {
  let wake = () => {}
  const awake = new Promise<void>((resolve) => (wake = resolve))
  const tried = new Promise<unknown>((resolve) => {
    const late = pluginOf('p-a', async (context) => {
      await awake
      try {
        resolve(context.on('auth.identify', notMine))
      } catch (thrown) {
        resolve(thrown)
      }
    })
    void refusal(hostFor().start([late])).then(wake)
  })
  assert.match(String(await tried), 'during setup only')
})

test('what a handler may not be refuses the start and says why', async () => {
  const wrong = pluginOf('p-a', (context) => context.on('auth.identfy' as 'auth.identify', notMine))
  assert.match((await refusal(hostFor().start([wrong]))).message, "there is no hook 'auth.identfy'")
  const order = { order: 'first' as 'pre' }
  const early = pluginOf('p-a', (context) => context.on('auth.identify', notMine, order))
  assert.match((await refusal(hostFor().start([early]))).message, "'pre' or 'post'")
})

test('two plugins that serve one key refuse the start and are both named', async () => {
  const serving = (id: string) => pluginOf(id, (context) => context.serve('idp.logout', 'saml', () => ({ url: null })))
  const { message } = await refusal(hostFor().start([serving('idp-one'), serving('idp-two')]))
  assert.match(message, /'idp-two'.*'saml' of 'idp.logout' is already served by idp-one/)
})

test('a plugin gets its own configuration and log, and cannot change its context', async () => {
  const seen: unknown[] = []
  const { start, logged } = hostFor()
  const plugin = pluginOf('p-a', (context) => {
    seen.push(context.config)
    context.log.info({ n: 1 }, 'here')
    assert.throws(() => Object.assign(context, { fetch: () => {} }))
  })
  await start([plugin], { 'p-a': { level: 3 } })
  assert.equal(seen, [{ level: 3 }])
  assert.equal(logged, [{ plugin: 'p-a', fields: { n: 1 }, message: 'here' }])
})

test('a failing handler is told to the host with its plugin and its hook', async () => {
  const { start, faults } = hostFor()
  const host = await start([pluginOf('p-a', (context) => context.on('auth.identify', boom))])
  assert.is((await host.bus.first('auth.identify', credentials())).kind, 'refused')
  assert.equal(
    faults.map(({ plugin, hook, failure }) => [plugin, hook, failure]),
    [['p-a', 'auth.identify', 'threw']],
  )
})

test.run()
