import { definePlugin } from '@gatehouse/sdk'
import { pluginConfig, ruleConfig } from './config.js'
import type { PluginConfig } from './config.js'
import { createEngine } from './engine.js'
import { createPool } from './pool.js'

/** The engine `pii`: finds personal data by patterns, check digits and the words around, names by a tagger in a worker. */
export default definePlugin<PluginConfig>({
  id: 'detect-pii',
  sdk: '^0.1.0',
  config: pluginConfig,
  setup(context) {
    const pool = createPool(context.config.workers)
    const engine = createEngine({ pool, workerDeadlineMs: context.config.workerDeadlineMs })
    context.serve('engine.prepare', 'pii', engine.prepare, {
      engine: { rule: ruleConfig, answers: 'spans', fails: true },
    })
    context.serve('engine.evaluate', 'pii', engine.evaluate)
    context.serve('engine.test', 'pii', engine.test)
    context.serve('engine.retire', 'pii', () => {})
    return { stop: () => pool.stop() }
  },
})
