import { definePlugin } from '@gatehouse/sdk'
import type { KeyedOptions } from '@gatehouse/sdk'
import { RULE_GRANT_LIMITS, RuleGrants, RuleManifest } from '@gatehouse/sdk/rule-abi'
import { createTextPool, createWorkerPool } from '@gatehouse/sdk/workers'
import type { BuiltAnswer, BuildTask, Held } from './protocol.js'
import { pluginConfig, ruleConfig } from './config.js'
import { createEngine } from './engine.js'
import { createRuleLog } from './rule-log.js'
import { createScopes } from './scopes.js'
import { tryRule } from './try-rule.js'

const KIND = 'wasm'

const declared: KeyedOptions = {
  engine: {
    rule: ruleConfig,
    answers: 'either',
    fails: true,
    whole: false,
    chains: true,
    artifact: {
      key: 'module',
      manifest: RuleManifest,
      grants: RuleGrants,
      mostBytes: RULE_GRANT_LIMITS.moduleBytes,
    },
  },
}

/** Messages that a thread has before it needs them. */
const AHEAD = 3
/** Of a thread: V8's own memory. That of the rules comes on top, and each has its own limit. */
const RESOURCES = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 }

export default definePlugin({
  id: 'detect-wasm',
  sdk: '^0.1.0',
  config: pluginConfig,
  setup({ config, log, now, serve, store }) {
    const pool = createTextPool<Held>({
      script: new URL('./rule-thread.cjs', import.meta.url),
      size: config.workers,
      spares: 1,
      resources: RESOURCES,
      longestWaitMs: 10_000,
      mostWaiting: 512,
      ahead: AHEAD,
      awakeMs: config.awakeMs,
    })
    const buildPool = createWorkerPool<BuildTask, BuiltAnswer>({
      script: new URL('./build-thread.cjs', import.meta.url),
      size: 1,
      longestWaitMs: 25_000,
      mostWaiting: 5_000,
    })
    const scopes = createScopes(store, now)
    const { ceilings } = config
    const engine = createEngine({ pool, buildPool, scopes, log: createRuleLog(log, now), ceilings, now })
    serve('engine.prepare', KIND, engine.prepare, declared)
    serve('engine.evaluate', KIND, engine.evaluate)
    serve('engine.test', KIND, (request) => tryRule(engine, request, now))
    serve('engine.retire', KIND, ({ state }) => engine.retire(state))
    return { stop: async () => void (await Promise.all([pool.stop(), buildPool.stop()])) }
  },
})
