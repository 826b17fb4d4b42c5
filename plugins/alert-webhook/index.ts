import { definePlugin } from '@gatehouse/sdk'
import type { AlertDelivery, DeliveryAnswer, HookCall, PluginContext } from '@gatehouse/sdk'
import { z } from 'zod'
import { answerOf } from './answer.js'
import { signature } from './sign.js'

const TIMEOUT_MS = 10_000
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'is not a header name')
const headerValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]{1,8192}$/, 'is not a header value')
const OURS: ReadonlySet<string> = new Set([
  ...['content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'connection', 'host', 'expect'],
  ...['gatehouse-signature', 'gatehouse-delivery', 'user-agent'],
])

/** One target. */
const Target = z.strictObject({
  /** Used exactly as it stands. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .refine((url) => new URL(url).username === '' && new URL(url).password === '', 'put the credential into `headers`'),
  headers: z
    .record(headerName, headerValue)
    .refine((headers) => Object.keys(headers).length <= 20, 'at most 20 headers')
    .refine((headers) => !Object.keys(headers).some((name) => OURS.has(name.toLowerCase())), {
      message: `${[...OURS].join(', ')} are set by the gateway`,
    })
    .default({}),
  /** Signs what is sent. */
  secret: z.string().min(16, 'must be at least 16 characters').max(1_024).optional(),
})

export default definePlugin({
  id: 'alert-webhook',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    context.serve('alert.deliver', 'alert-webhook', (delivery, call) => deliver(context, delivery, call), {
      config: Target,
      secret: ['headers', 'secret'],
    })
  },
})

async function deliver(
  context: PluginContext<object>,
  delivery: AlertDelivery,
  call: HookCall,
): Promise<DeliveryAnswer> {
  const { url, headers, secret } = Target.parse(delivery.target.config)
  const body = bodyOf(delivery)
  const { id, service } = delivery
  const signed = secret === undefined ? {} : { 'gatehouse-signature': signature(secret, body, context.now()) }
  const own = { 'content-type': 'application/json', 'user-agent': `${service.name}/${service.version}` }
  try {
    const response = await context.fetch(url, {
      method: 'POST',
      headers: { ...headers, ...own, 'gatehouse-delivery': id, ...signed },
      body,
      signal: call.signal,
      timeoutMs: TIMEOUT_MS,
      maxBytes: 64 * 1024,
    })
    return answerOf(response, context.now())
  } catch (error) {
    return { kind: 'retry', message: error instanceof Error ? error.message : 'The receiver could not be reached.' }
  }
}

/** What the receiver is sent: all of it but the target's configuration. */
function bodyOf(delivery: AlertDelivery): string {
  const { id, kind, attempt, isTest, service, target } = delivery
  const what = delivery.kind === 'alert' ? { alert: delivery.alert } : { digest: delivery.digest }
  return JSON.stringify({ id, kind, attempt, isTest, target: { id: target.id, name: target.name }, service, ...what })
}
