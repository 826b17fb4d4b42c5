import { definePlugin } from '@gatehouse/sdk'
import { z } from 'zod'

export default definePlugin({
  id: 'detect-wasm',
  sdk: '^0.1.0',
  config: z.strictObject({}).prefault({}),
  setup: () => {},
})
