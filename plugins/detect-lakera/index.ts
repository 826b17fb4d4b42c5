import { definePlugin, serveScreening } from '@gatehouse/sdk'
import { z } from 'zod'
import { Instance } from './config.js'
import { LIMITS, openLakera } from './service.js'

/** The engine kind `lakera`: Lakera Guard decides. */
export default definePlugin({
  id: 'detect-lakera',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    serveScreening(context, 'lakera', {
      instance: Instance,
      secret: ['apiKey'],
      limits: LIMITS,
      open: (instance) => openLakera(context, instance),
    })
  },
})
