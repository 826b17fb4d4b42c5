import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { definePlugin } from '@gatehouse/sdk'
import type { Delivery, DeliveryAnswer, HookCall, PluginContext } from '@gatehouse/sdk'
import { z } from 'zod'
import { answerOf } from './answer.js'
import { encode } from './encode.js'

const timeoutMs = 10_000
const compress = promisify(gzip)

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is not a header name')
const headerValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'is not a header value')
const OURS: ReadonlySet<string> = new Set(['content-type', 'content-encoding', 'content-length', 'host'])

/** One exporter. */
const Target = z.strictObject({
  /** Used exactly as it stands: nothing is appended. */
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => new URL(url).username === '' && new URL(url).password === '', 'put the credential into `headers`'),
  headers: z
    .record(headerName, headerValue)
    .refine((headers) => !Object.keys(headers).some((name) => OURS.has(name.toLowerCase())), {
      message: `${[...OURS].join(', ')} are set by the exporter`,
    })
    .default({}),
  gzip: z.boolean().default(false),
  /** The resource's `deployment.environment`. */
  environment: z.string().min(1).optional(),
})

export default definePlugin({
  id: 'siem-otlp',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    context.serve('exporter.deliver', 'siem-otlp', (delivery, call) => deliver(context, delivery, call), {
      config: Target,
      secret: ['headers'],
    })
  },
})

async function deliver(context: PluginContext<object>, delivery: Delivery, call: HookCall): Promise<DeliveryAnswer> {
  const target = Target.parse(delivery.exporter.config)
  const json = encode(delivery, target.environment, context.now())
  const body = target.gzip ? await compress(json) : json
  const encoding = target.gzip ? { 'content-encoding': 'gzip' } : {}
  try {
    const response = await context.fetch(target.url, {
      method: 'POST',
      headers: { ...target.headers, 'content-type': 'application/json', ...encoding },
      body,
      signal: call.signal,
      timeoutMs,
      maxBytes: 1024 * 1024,
    })
    return answerOf(response, context.log, context.now())
  } catch (error) {
    return { kind: 'retry', message: error instanceof Error ? error.message : 'The receiver could not be reached.' }
  }
}
