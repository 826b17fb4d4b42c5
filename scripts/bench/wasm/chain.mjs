import { createMemoryStore } from '@gatehouse/sdk/memory-store'
import { startPlugins } from '../../../core/dist/host/lifecycle.js'
import { loadPlugin } from '../../../core/dist/host/load.js'
import { createBusEngines } from '../../../core/dist/rules/bus-engines.js'
import { createRules } from '../../../core/dist/rules/rules.js'
import { say } from '../opened.mjs'
import { SUBJECT } from '../subject.mjs'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const noWay = () => Promise.reject(new Error('nothing leaves this process'))

/** The rules of a gateway as it runs them, without the gateway: the engines `wasm` and `regex` on their plugins. */
export async function openRules(closing, { workers = 2 } = {}) {
  const plugins = [
    { use: 'detect-wasm', config: { workers } },
    { use: 'detect-regex', config: {} },
  ]
  const loaded = await Promise.all(plugins.map((plugin) => loadPlugin({ ...plugin, from: process.cwd() })))
  const lent = { log: () => quiet, store: () => createMemoryStore(), fetch: noWay, dial: noWay, now: Date.now }
  const host = await startPlugins(loaded, {
    lent,
    log: quiet,
    onFault: ({ plugin, detail }) => say(`${plugin}: ${detail}`),
  })
  closing.push(host.stop)
  const rules = createRules({ engines: createBusEngines(host.bus), hashKey: null, engineLimit: () => 30_000 })
  const prepare = async (one, artifact = null) => {
    const compiled = await rules.prepareRule(ruleOf(one), null, artifact)
    if (compiled.broken !== null) throw new Error(`${one.name}: ${compiled.broken}`)
    return compiled
  }
  return { rules, prepare, stop: host.stop, inspect: (list, message) => rules.inspectResponse(list, SUBJECT, message) }
}

let made = 0

function ruleOf({ name, engine, action = null, onFailure = 'block', ...config }) {
  made += 1
  const facts = { managedBy: 'api', createdAt: '', updatedAt: '', gatewayId: 'g', position: made, version: 1 }
  const flags = { hook: 'both', alerts: false, enabled: true, shadow: false, servers: [], features: [] }
  return { id: `r${made}`, name, engine, action, onFailure, ...facts, ...flags, config }
}
