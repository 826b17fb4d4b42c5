import { definePlugin, serveScreening } from '@gatehouse/sdk'
import { z } from 'zod'
import { Instance } from './config.js'
import { LIMITS, openModelArmor } from './service.js'

/** The engine kind `model-armor`: a template of Google Model Armor decides. */
export default definePlugin({
  id: 'detect-model-armor',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    serveScreening(context, 'model-armor', {
      instance: Instance,
      secret: ['serviceAccount'],
      limits: LIMITS,
      open: (instance) => openModelArmor(context, instance),
    })
  },
})
