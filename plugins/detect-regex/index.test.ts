import type { PluginContext } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PluginConfig } from './config.js'
import plugin from './index.js'

/** A context that keeps what the plugin serves. */
function context(config: PluginConfig, served: Map<string, unknown>): PluginContext<PluginConfig> {
  const absent = () => assert.unreachable('the plugin needs nothing but to serve') as never
  const log = { debug: absent, info: absent, warn: () => {}, error: absent }
  const store = { get: absent, set: absent, delete: absent, replace: absent }
  const serve = (hook: string, key: string, handler: unknown) => void served.set(`${hook} ${key}`, handler)
  return { config, log, on: absent, serve, store, fetch: absent, dial: absent, now: absent }
}

test('the plugin serves every hook of an engine, and stops', async () => {
  const served = new Map<string, unknown>()
  const running = await plugin.setup(context(plugin.config.parse({}), served))
  assert.equal(
    [...served.keys()],
    ['engine.prepare regex', 'engine.evaluate regex', 'engine.test regex', 'engine.retire regex'],
  )
  await running?.stop?.()
})

test('its configuration has defaults and refuses what it does not know', () => {
  assert.equal(plugin.config.parse(undefined), { workerDeadlineMs: 250, workers: 2 })
  assert.throws(() => plugin.config.parse({ deadline: 5 }))
  assert.throws(() => plugin.config.parse({ workers: 0 }))
})

test.run()
