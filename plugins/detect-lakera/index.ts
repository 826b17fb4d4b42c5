import { createScreeningEngine, definePlugin, SCREENING } from '@gatehouse/sdk'
import { z } from 'zod'
import { Instance } from './config.js'
import { LIMITS, openLakera } from './service.js'

/** The engine kind `lakera`: Lakera Guard decides. */
export default definePlugin({
  id: 'detect-lakera',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    const open = (instance: Instance) => openLakera(context, instance)
    const engine = createScreeningEngine({ instance: Instance, limits: LIMITS, open })
    context.serve('engine.prepare', 'lakera', engine.prepare, {
      config: Instance,
      secret: ['apiKey'],
      engine: SCREENING,
    })
    context.serve('engine.evaluate', 'lakera', engine.evaluate)
    context.serve('engine.test', 'lakera', engine.test)
    context.serve('engine.retire', 'lakera', () => {})
  },
})
