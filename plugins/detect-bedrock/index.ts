import { createScreeningEngine, definePlugin, SCREENING } from '@gatehouse/sdk'
import { z } from 'zod'
import { Instance } from './config.js'
import { LIMITS, openBedrock } from './service.js'

/** The engine kind `bedrock`: a guardrail of Amazon Bedrock decides. */
export default definePlugin({
  id: 'detect-bedrock',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    const open = (instance: Instance) => openBedrock(context, instance)
    const engine = createScreeningEngine({ instance: Instance, limits: LIMITS, open })
    context.serve('engine.prepare', 'bedrock', engine.prepare, {
      config: Instance,
      secret: ['apiKey', 'secretAccessKey', 'sessionToken'],
      engine: SCREENING,
    })
    context.serve('engine.evaluate', 'bedrock', engine.evaluate)
    context.serve('engine.test', 'bedrock', engine.test)
    context.serve('engine.retire', 'bedrock', () => {})
  },
})
