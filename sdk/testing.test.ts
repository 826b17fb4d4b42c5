import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { definePlugin, type PluginContext } from './plugin.js'
import { notMine } from './principal.js'
import type { RaisedAlert } from './record.js'
import { startPlugin } from './testing.js'
import { block, modify, pass } from './verdict.js'

const goodbye = { idp: { id: '1', slug: 'acme', config: {} }, idToken: null, returnTo: 'https://gw.example.com' }

const plugin = (setup: (context: PluginContext<{ level: number }>) => void) =>
  definePlugin({ id: 'acme-test', sdk: '^0.1.0', config: z.object({ level: z.number().default(1) }), setup })
const credentials = (authorization?: string) => ({
  authorization,
  header: () => undefined,
  address: '::1',
  gatewayId: null,
})
const at = new Date(0).toISOString()
const alert: RaisedAlert = {
  ...{ type: 'rule_blocked', severity: 'info', key: 'k', message: 'm' },
  ...{ id: 'a', count: 1, state: 'open', firstAt: at, lastAt: at },
}
const enrichment = () => ({
  principal: {
    user: null,
    host: { id: 'h', name: 'H', kind: 'token' as const },
    connection: { id: 'c', gatewayId: 'g' },
    attributes: {},
  },
  attributes: {},
})

async function rejection(work: Promise<unknown>): Promise<string> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.instance(thrown, Error)
  return (thrown as Error).message
}

test('a plugin is started with its parsed configuration, as the gateway would', async () => {
  const levels: number[] = []
  const noting = plugin((context) => void levels.push(context.config.level))
  await startPlugin(noting)
  await startPlugin(noting, { level: 3 })
  assert.equal(levels, [1, 3])
  assert.match(await rejection(startPlugin(noting, { leval: 3 })), '"leval"')
  assert.match(await rejection(startPlugin(noting, { level: 'high' })), 'config.level')
})

test('the handlers of a hook are asked in order until one has something to say', async () => {
  const asked: string[] = []
  const host = await startPlugin(
    plugin((context) => {
      context.on('auth.identify', () => (asked.push('a'), notMine()))
      context.on('auth.identify', async () => (asked.push('b'), { kind: 'refused', reason: 'bad' }))
      context.on('auth.identify', () => (asked.push('c'), notMine()))
      context.on('identity.enrich', () => pass())
      context.on('identity.enrich', () => block('no'))
      context.on('alert.raised', () => void asked.push('d'))
      context.on('alert.raised', () => void asked.push('e'))
    }),
  )
  assert.equal(await host.ask('auth.identify', credentials()), { kind: 'refused', reason: 'bad' })
  assert.equal(await host.ask('identity.enrich', enrichment()), { verdict: 'block', reason: 'no' })
  await host.ask('alert.raised', alert)
  assert.equal(asked, ['a', 'b', 'd', 'e'])
  assert.equal(host.keys, ['auth.identify', 'identity.enrich', 'alert.raised'])
})

test('an answer that the gateway would not take is no answer here', async () => {
  const answers: unknown[] = [
    undefined,
    7,
    { verdict: 'maybe' },
    modify({ attributes: { a: 1 } }),
    modify({ principal: {} }),
  ]
  for (const answer of answers) {
    const host = await startPlugin(plugin((context) => context.on('identity.enrich', () => answer as never)))
    assert.match(await rejection(host.ask('identity.enrich', enrichment())), /^the answer to 'identity.enrich'/)
  }
})

test('what a handler throws and what it writes to its payload come out', async () => {
  const host = await startPlugin(
    plugin((context) => {
      context.on('identity.enrich', (payload) => {
        Object.assign(payload, { attributes: {} })
        return pass()
      })
    }),
  )
  assert.match(await rejection(host.ask('identity.enrich', enrichment())), /read only/)
  assert.match(await rejection(host.ask('auth.identify', credentials())), "no handler for 'auth.identify'")
})

test('a keyed handler is asked by its key; its options are kept', async () => {
  const host = await startPlugin(
    plugin((context) => context.serve('idp.logout', 'acme', () => ({ url: null }), { secret: ['password'] })),
  )
  assert.equal(await host.askKeyed('idp.logout', 'acme', goodbye), { url: null })
  assert.match(await rejection(host.askKeyed('idp.logout', 'other', goodbye)), 'no handler')
  assert.equal(host.options.get('idp.logout/acme'), { secret: ['password'] })
})

test('what the gateway would refuse to register is refused here', async () => {
  const logout = () => ({ url: null })
  const wrong: ((context: PluginContext<{ level: number }>) => void)[] = [
    (context) => context.on('auth.identfy' as 'auth.identify', notMine),
    (context) => context.on('constructor' as 'auth.identify', notMine),
    (context) => context.on('idp.logout' as 'auth.identify', notMine),
    (context) => context.serve('auth.identify' as 'idp.logout', 'k', logout),
    (context) => {
      context.serve('idp.logout', 'k', logout)
      context.serve('idp.logout', 'k', logout)
    },
  ]
  for (const setup of wrong) await rejection(startPlugin(plugin(setup)))
  let kept: PluginContext<{ level: number }> | undefined
  await startPlugin(plugin((context) => void (kept = context)))
  assert.throws(() => kept?.on('auth.identify', notMine), /during setup only/)
})

test('log, store, clock, fetch and stop are there', async () => {
  const seen: unknown[] = []
  const host = await startPlugin(
    definePlugin({
      id: 'acme-test',
      sdk: '^0.1.0',
      config: z.object({}),
      async setup(context) {
        context.log.warn({ n: 1 }, 'careful')
        await context.store.set('a', '1')
        seen.push(await context.store.get('a'), context.now())
        await context.store.delete('a')
        seen.push(await context.store.get('a'), await rejection(context.fetch('https://example.com')))
        return { stop: () => void seen.push('stopped') }
      },
    }),
    {},
    { now: () => 5 },
  )
  await host.stop()
  assert.equal(seen, ['1', 5, undefined, 'this test lends no fetch', 'stopped'])
  assert.equal(host.log, [{ level: 'warn', fields: { n: 1 }, message: 'careful' }])
})

test('a handler is told its deadline and may be given another, with a signal', async () => {
  const seen: { deadline: number; aborted: boolean }[] = []
  const host = await startPlugin(
    plugin((context) => {
      context.on('auth.identify', (_, { deadline, signal }) => {
        seen.push({ deadline, aborted: signal.aborted })
        return notMine()
      })
    }),
  )
  const before = Date.now()
  await host.ask('auth.identify', credentials())
  await host.ask('auth.identify', credentials(), { deadline: 7, signal: AbortSignal.abort() })
  assert.ok((seen[0]?.deadline ?? 0) >= before + 5_000)
  assert.equal([seen[0]?.aborted, seen[1]], [false, { deadline: 7, aborted: true }])
})

test.run()
