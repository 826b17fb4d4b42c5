import { definePlugin } from '@gatehouse/sdk'
import { pluginConfig, ruleConfig } from './config.js'
import type { PluginConfig } from './config.js'
import { createEngine } from './engine.js'
import { enableLinearTime } from './linear-engine.js'
import { createPool } from './pool.js'

/** The engine `regex`: JavaScript regular expressions, always with `i` and `g`, that cannot hold up the gateway. */
export default definePlugin<PluginConfig>({
  id: 'detect-regex',
  sdk: '^0.1.0',
  config: pluginConfig,
  setup(context) {
    const linear = enableLinearTime()
    if (!linear) context.log.warn({}, 'This Node cannot run expressions in linear time; all of them run in a worker.')
    const pool = createPool(context.config.workers)
    const engine = createEngine({ pool, linear, workerDeadlineMs: context.config.workerDeadlineMs })
    context.serve('engine.prepare', 'regex', engine.prepare, {
      engine: { rule: ruleConfig, answers: 'spans', fails: false, named: false },
    })
    context.serve('engine.evaluate', 'regex', engine.evaluate)
    context.serve('engine.test', 'regex', engine.test)
    context.serve('engine.retire', 'regex', () => {})
    return { stop: () => pool.stop() }
  },
})
