import { definePlugin } from '@gatehouse/sdk'
import { z } from 'zod'
import { Instance, ruleConfig } from './config.js'
import { createEngine } from './engine.js'

export default definePlugin({
  id: 'detect-webhook',
  sdk: '^0.1.0',
  config: z.strictObject({}).prefault({}),
  setup(context) {
    const engine = createEngine(context)
    context.serve('engine.prepare', 'webhook', engine.prepare, {
      config: Instance,
      secret: ['headers', 'secret'],
      engine: { rule: ruleConfig, answers: 'verdict', fails: true, whole: false },
    })
    context.serve('engine.evaluate', 'webhook', engine.evaluate)
    context.serve('engine.test', 'webhook', engine.test)
    context.serve('engine.retire', 'webhook', () => {})
  },
})
