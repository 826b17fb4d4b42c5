import { definePlugin, serveScreening } from '@gatehouse/sdk'
import { z } from 'zod'
import { Instance } from './config.js'
import { LIMITS, openBedrock } from './service.js'

/** The engine kind `bedrock`: a guardrail of Amazon Bedrock decides. */
export default definePlugin({
  id: 'detect-bedrock',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    serveScreening(context, 'bedrock', {
      instance: Instance,
      secret: ['apiKey', 'secretAccessKey', 'sessionToken'],
      limits: LIMITS,
      open: (instance) => openBedrock(context, instance),
    })
  },
})
