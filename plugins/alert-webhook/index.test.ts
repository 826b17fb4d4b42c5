import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AlertDelivery, DeliveryAnswer, PluginFetch, ToldAlert } from '@gatehouse/sdk'
import { startPlugin } from '@gatehouse/sdk/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import plugin from './index.js'

const NOW = 1_790_000_001_000
const SECRET = 'a secret of at least 16'

async function receiver(answer: (response: ServerResponse) => void) {
  const received: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    received.push({ headers: request.headers, body: Buffer.concat(parts).toString() })
    answer(response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const close = () => new Promise<void>((done) => (server.closeAllConnections(), server.close(() => done())))
  return { url: `http://127.0.0.1:${port}/x`, received, close }
}

const plainFetch: PluginFetch = async (url, init) => {
  const { method = 'GET', headers = {}, body = null } = init ?? {}
  const response = await fetch(url, { method, headers, body, redirect: 'manual' })
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = () => new TextDecoder().decode(bytes)
  return {
    ...{ status: response.status, body: bytes, text },
    header: (name) => response.headers.get(name) ?? undefined,
    json: () => JSON.parse(text()) as unknown,
  }
}

const ALERT: ToldAlert = {
  ...{
    id: 'a-1',
    type: 'server_unreachable',
    severity: 'error',
    key: 'crm',
    message: 'Server "crm" cannot be reached',
  },
  ...{ count: 3, state: 'open', firstAt: '2026-11-25T10:00:00.000Z', lastAt: '2026-11-25T10:05:00.000Z' },
  ...{ gateway: null, server: 'crm', rule: null, user: null, serverId: 's-1', context: { error: 'ECONNREFUSED' } },
  url: 'https://gate.example.com/console/alerts/a-1',
}
const delivery = (config: Record<string, unknown>): AlertDelivery => ({
  ...{ id: 'd-1', attempt: 2, isTest: false, service: { name: 'gatehouse', version: '0.1.0' } },
  target: { id: 't', name: 'ops', config },
  ...{ kind: 'alert', alert: ALERT },
})

const started = (fetch: PluginFetch = plainFetch) => startPlugin(plugin, {}, { fetch, now: () => NOW })
async function send(given: AlertDelivery, fetch?: PluginFetch): Promise<DeliveryAnswer> {
  return (await started(fetch)).askKeyed('alert.deliver', 'alert-webhook', given)
}
async function answerTo(status: number, headers: Record<string, string> = {}, body = ''): Promise<DeliveryAnswer> {
  const { url, close } = await receiver((response) => response.writeHead(status, headers).end(body))
  try {
    return await send(delivery({ url }))
  } finally {
    await close()
  }
}

test('an alert arrives as JSON, signed, with its id, and without the configuration', async () => {
  const { url, received, close } = await receiver((response) => response.end('ok'))
  const config = { url, headers: { Authorization: 'Bearer swordfish' }, secret: SECRET }
  assert.equal(await send(delivery(config)), { kind: 'delivered' })
  const [{ headers, body } = { headers: {} as IncomingHttpHeaders, body: '' }] = received
  assert.equal([headers['authorization'], headers['gatehouse-delivery']], ['Bearer swordfish', 'd-1'])
  const [, at, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['gatehouse-signature'])) ?? []
  assert.is(Number(at), NOW / 1_000)
  assert.is(mac, createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex'))
  assert.equal(JSON.parse(body), {
    ...{ id: 'd-1', kind: 'alert', attempt: 2, isTest: false, target: { id: 't', name: 'ops' } },
    service: { name: 'gatehouse', version: '0.1.0' },
    alert: ALERT,
  })
  assert.not.match(body, /swordfish|at least 16/)
  await close()
})

test('a digest arrives as one', async () => {
  const { url, received, close } = await receiver((response) => response.end())
  const digest = {
    total: 47,
    bySeverity: { error: 1, warning: 40, info: 6 },
    alerts: [ALERT],
    url: 'https://x/console/alerts',
  }
  const { kind: _, ...envelope } = delivery({ url })
  await send({ ...envelope, kind: 'digest', digest } as AlertDelivery)
  assert.equal(JSON.parse(received[0]?.body ?? '').digest, digest)
  assert.is(received[0]?.headers['gatehouse-signature'], undefined, 'nothing is signed without a secret')
  await close()
})

test('what a receiver cannot take now is tried again, after as long as it says; what it refuses is not', async () => {
  assert.equal(await answerTo(204), { kind: 'delivered' })
  assert.is((await answerTo(503)).kind, 'retry')
  assert.equal(await answerTo(429, { 'retry-after': '7' }), {
    kind: 'retry',
    message: 'HTTP 429.',
    status: 429,
    afterMs: 7_000,
  })
  for (const status of [301, 400, 401, 403, 404, 410])
    assert.is((await answerTo(status)).kind, 'rejected', String(status))
  const refused = await answerTo(404, {}, 'no\n\u0000such hook')
  assert.match(JSON.stringify(refused), /HTTP 404.*no such hook/)
  const fails: PluginFetch = () => Promise.reject(new Error('cannot be reached'))
  assert.equal(await send(delivery({ url: 'https://x.example' }), fails), {
    kind: 'retry',
    message: 'cannot be reached',
  })
})

test('a target that cannot work is refused when it is saved', async () => {
  const schema = (await started()).options.get('alert.deliver/alert-webhook')
  const fits = (config: unknown) => schema?.config?.safeParse(config).success
  assert.equal(schema?.secret, ['headers', 'secret'])
  assert.ok(fits({ url: 'https://hooks.example.com/x', secret: SECRET, headers: { 'X-Key': 'k' } }))
  for (const config of [
    {},
    { url: 'ftp://x.example' },
    { url: 'https://ana:pw@x.example' },
    { url: 'https://x.example', secret: 'short' },
    { url: 'https://x.example', headers: { Host: 'y' } },
    { url: 'https://x.example', headers: { 'Gatehouse-Signature': 'y' } },
    { url: 'https://x.example', headers: { 'X-A': 'a\r\nb: c' } },
    { url: 'https://x.example', surprise: 1 },
  ])
    assert.not(fits(config), JSON.stringify(config))
})

test.run()
