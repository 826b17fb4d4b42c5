import { createScreeningEngine, definePlugin, SCREENING } from '@gatehouse/sdk'
import { z } from 'zod'
import { Instance } from './config.js'
import { LIMITS, openModelArmor } from './service.js'

/** The engine kind `model-armor`: a template of Google Model Armor decides. */
export default definePlugin({
  id: 'detect-model-armor',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    const open = (instance: Instance) => openModelArmor(context, instance)
    const engine = createScreeningEngine({ instance: Instance, limits: LIMITS, open })
    context.serve('engine.prepare', 'model-armor', engine.prepare, {
      config: Instance,
      secret: ['serviceAccount'],
      engine: SCREENING,
    })
    context.serve('engine.evaluate', 'model-armor', engine.evaluate)
    context.serve('engine.test', 'model-armor', engine.test)
    context.serve('engine.retire', 'model-armor', () => {})
  },
})
