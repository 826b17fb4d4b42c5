import { definePlugin } from '@gatehouse/sdk'
import type { AlertDelivery, DeliveryAnswer, HookCall, PluginContext, PluginResponse } from '@gatehouse/sdk'
import { z } from 'zod'
import { messageOf } from './blocks.js'

const TIMEOUT_MS = 10_000

/** One target. */
const Target = z.strictObject({
  /** Whoever knows it may post there, so it is a secret. */
  url: z.url({ protocol: /^https?$/ }).max(2_048),
})

export default definePlugin({
  id: 'alert-slack',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    context.serve('alert.deliver', 'alert-slack', (delivery, call) => deliver(context, delivery, call), {
      config: Target,
      secret: ['url'],
    })
  },
})

async function deliver(
  context: PluginContext<object>,
  delivery: AlertDelivery,
  call: HookCall,
): Promise<DeliveryAnswer> {
  const { url } = Target.parse(delivery.target.config)
  try {
    const response = await context.fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(messageOf(delivery)),
      signal: call.signal,
      timeoutMs: TIMEOUT_MS,
      maxBytes: 64 * 1024,
    })
    return answerOf(response)
  } catch (error) {
    return { kind: 'retry', message: error instanceof Error ? error.message : 'The receiver could not be reached.' }
  }
}

/** Slack says in a word what is wrong (`no_service`, `invalid_blocks`), and with 429 when to come again. */
function answerOf(response: PluginResponse): DeliveryAnswer {
  const { status } = response
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const said = response
    .text()
    .slice(0, 200)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  const message = `HTTP ${status}. ${said}`.trim()
  if (status !== 408 && status !== 429 && status < 500) return { kind: 'rejected', message, status }
  const seconds = Number(response.header('retry-after') ?? Number.NaN)
  return {
    kind: 'retry',
    message,
    status,
    ...(Number.isFinite(seconds) && seconds >= 0 ? { afterMs: seconds * 1_000 } : {}),
  }
}
