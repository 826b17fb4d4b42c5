import { definePlugin } from '@gatehouse/sdk'
import { z } from 'zod'
import { ruleConfig } from './config.js'
import { createEngine, prepare } from './engine.js'
import { createPool } from './pool.js'

/** The engine `secrets`: keys, tokens and passwords, known by their form or by the name in front of them. */
export default definePlugin({
  id: 'detect-secrets',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    const pool = createPool(2)
    const { evaluate, test } = createEngine(pool)
    context.serve('engine.prepare', 'secrets', prepare, {
      engine: { rule: ruleConfig, answers: 'spans', fails: false },
    })
    context.serve('engine.evaluate', 'secrets', evaluate)
    context.serve('engine.test', 'secrets', test)
    context.serve('engine.retire', 'secrets', () => {})
    return { stop: () => pool.stop() }
  },
})
