import { definePlugin } from '@gatehouse/sdk'
import { z } from 'zod'
import { Instance, ruleConfig } from './config.js'
import { createEngine } from './engine.js'

/** The engine `presidio`: asks a Presidio analyzer what personal data a text holds; core does what the rule says to it. */
export default definePlugin({
  id: 'detect-presidio',
  sdk: '^0.1.0',
  config: z.strictObject({}).prefault({}),
  setup(context) {
    const engine = createEngine(context)
    context.serve('engine.prepare', 'presidio', engine.prepare, {
      config: Instance,
      secret: ['headers'],
      engine: { rule: ruleConfig, answers: 'spans', fails: true, whole: false },
    })
    context.serve('engine.evaluate', 'presidio', engine.evaluate)
    context.serve('engine.test', 'presidio', engine.test)
    context.serve('engine.retire', 'presidio', () => {})
  },
})
