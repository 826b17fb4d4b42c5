import { createServer } from 'node:http'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { Delivery, DeliveryAnswer, LogRow, PluginFetch } from '@gatehouse/sdk'
import { startPlugin } from '@gatehouse/sdk/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import plugin from './index.js'

interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A receiver of our own making: keeps what it is sent and answers as it is told. It is no OpenTelemetry Collector. */
async function receiver(answer: (response: ServerResponse) => void) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts) })
    answer(response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const close = () => new Promise<void>((done) => (server.closeAllConnections(), server.close(() => done())))
  return { url: `http://127.0.0.1:${port}`, received, close }
}

const plainFetch: PluginFetch = async (url, init) => {
  const response = await fetch(url, {
    method: init?.method ?? 'GET',
    headers: init?.headers ?? {},
    body: init?.body ?? null,
    redirect: 'manual',
  })
  const body = new Uint8Array(await response.arrayBuffer())
  const text = () => new TextDecoder().decode(body)
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body,
    text,
    json: () => JSON.parse(text()) as unknown,
  }
}

const row = (facts: Partial<LogRow> = {}): LogRow => ({
  log_id: '019a-3',
  correlation_id: '019a',
  created_at: '2026-09-21T14:13:20.123Z',
  log_type: 'mcp_response_error',
  level: 'error',
  method: 'tools/call',
  jsonrpc_id: '7',
  session_id: null,
  protocol_version: null,
  feature_type: 'tool',
  feature_name: 'echo',
  user_id: null,
  user_email: 'ann@example.com',
  user_name: null,
  team_id: null,
  team_name: null,
  host_id: null,
  host_name: null,
  client_name: null,
  client_version: null,
  connection_id: null,
  outbound_gateway_id: null,
  outbound_gateway_name: 'engineering',
  inbound_server_id: null,
  inbound_server_name: null,
  inbound_server_url: null,
  identity_id: null,
  identity_scheme: 'per_user',
  http_status_code: 200,
  rpc_error_code: -32603,
  duration_ms: 12.4,
  bytes: null,
  estimated_tokens: null,
  error: null,
  policy_id: null,
  policy_name: null,
  policy_action: null,
  receipts: [],
  client_ip: '::1',
  user_agent: null,
  ...facts,
})

const delivery = (config: Record<string, unknown>, rows: readonly LogRow[] = [row()]): Delivery => ({
  exporter: { id: 'e', name: 'soc', config },
  rows,
  attempt: 1,
  service: { name: 'gatehouse', version: '0.1.0' },
})

const started = () => startPlugin(plugin, {}, { fetch: plainFetch, now: () => 1_790_000_001_000 })

async function deliverTo(config: Record<string, unknown>, rows?: readonly LogRow[]): Promise<DeliveryAnswer> {
  const host = await started()
  return host.askKeyed('exporter.deliver', 'siem-otlp', delivery(config, rows))
}

/** What the plugin answers to one status. */
async function answerTo(status: number, headers: Record<string, string> = {}, body = ''): Promise<DeliveryAnswer> {
  const { url, close } = await receiver((response) => response.writeHead(status, headers).end(body))
  try {
    return await deliverTo({ url })
  } finally {
    await close()
  }
}

test('rows arrive as OTLP JSON, as another writer of that format writes the same record', async () => {
  const { url, received, close } = await receiver((response) => response.end('{}'))
  const answer = await deliverTo({ url: `${url}/v1/logs` })
  await close()
  assert.equal(answer, { kind: 'delivered' })
  // Field names and shapes as OpenTelemetry's own JavaScript exporter writes them (JsonLogsSerializer 0.223.1); its
  // integers are bare numbers, ours the decimal strings that proto3's JSON mapping prescribes for int64.
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
  const int = (key: string, intValue: string) => ({ key, value: { intValue } })
  assert.equal(JSON.parse(received[0]?.body.toString() ?? ''), {
    resourceLogs: [
      {
        resource: { attributes: [text('service.name', 'gatehouse'), text('service.version', '0.1.0')] },
        scopeLogs: [
          {
            scope: { name: 'gatehouse', version: '0.1.0' },
            logRecords: [
              {
                timeUnixNano: '1790000000123000000',
                observedTimeUnixNano: '1790000001000000000',
                severityNumber: 17,
                severityText: 'ERROR',
                body: { stringValue: 'mcp_response_error' },
                attributes: [
                  text('log_id', '019a-3'),
                  text('correlation_id', '019a'),
                  text('log_type', 'mcp_response_error'),
                  text('method', 'tools/call'),
                  text('jsonrpc_id', '7'),
                  text('feature_type', 'tool'),
                  text('feature_name', 'echo'),
                  text('user_email', 'ann@example.com'),
                  text('outbound_gateway_name', 'engineering'),
                  text('identity_scheme', 'per_user'),
                  int('http_status_code', '200'),
                  int('rpc_error_code', '-32603'),
                  int('duration_ms', '12'),
                  text('client_ip', '::1'),
                ],
              },
            ],
          },
        ],
      },
    ],
  })
})

test('the URL is used exactly as entered and the headers are sent; ours cannot be replaced', async () => {
  const { url, received, close } = await receiver((response) => response.end())
  await deliverTo({ url: `${url}/otlp/v1/logs?token=a`, headers: { 'X-Key': 'k', Authorization: 'Basic abc' } })
  await close()
  assert.is(received[0]?.path, '/otlp/v1/logs?token=a')
  assert.is(received[0]?.headers['x-key'], 'k')
  assert.is(received[0]?.headers.authorization, 'Basic abc')
  assert.is(received[0]?.headers['content-type'], 'application/json')
})

test('with gzip the body is compressed and says so', async () => {
  const { url, received, close } = await receiver((response) => response.end())
  await deliverTo({ url, gzip: true, environment: 'production' })
  await close()
  assert.is(received[0]?.headers['content-encoding'], 'gzip')
  const body = gunzipSync(received[0]?.body ?? Buffer.alloc(0)).toString()
  assert.match(body, '"key":"deployment.environment","value":{"stringValue":"production"}')
})

test('severity follows from the level, and the receipts of rules go along as one text', async () => {
  const { url, received, close } = await receiver((response) => response.end())
  const receipts = [
    {
      receipt_id: 'm-2.1',
      rule_id: 'r',
      rule_version: 2,
      rule_name: 'Mask',
      engine: 'regex',
      hook: 'response',
      verdict: 'modify',
      action: 'mask',
      shadow: false,
      findings: { ssn: 1 },
      fell: null,
      ms: 1,
    },
  ] as const
  await deliverTo({ url }, [row({ level: 'info' }), row({ level: 'warn', receipts }), row()])
  await close()
  const [scope] = JSON.parse(received[0]?.body.toString() ?? '').resourceLogs[0].scopeLogs
  assert.equal(
    scope.logRecords.map((record: { severityNumber: number }) => record.severityNumber),
    [9, 13, 17],
  )
  assert.equal(scope.logRecords[1].attributes.at(-1), {
    key: 'receipts',
    value: { stringValue: JSON.stringify(receipts) },
  })
})

test('what may succeed later is tried again, and the receiver says when', async () => {
  for (const status of [408, 429, 500, 502, 503, 504]) {
    const answer = await answerTo(status)
    assert.is(answer.kind, 'retry', String(status))
    assert.is('status' in answer && answer.status, status)
  }
  assert.is(((await answerTo(429, { 'retry-after': '7' })) as { afterMs?: number }).afterMs, 7_000)
  const date = new Date(1_790_000_031_000).toUTCString()
  assert.is(((await answerTo(503, { 'retry-after': date })) as { afterMs?: number }).afterMs, 30_000)
  assert.not('afterMs' in (await answerTo(503, { 'retry-after': 'soon' })))
})

test('a receiver that nobody reaches is tried again', async () => {
  const { url, close } = await receiver((response) => response.end())
  await close()
  assert.is((await deliverTo({ url })).kind, 'retry')
})

test('any other refusal is for good, with its status, a hint and what the receiver said', async () => {
  const hints: [number, RegExp][] = [
    [400, /protobuf/],
    [401, /credential/],
    [403, /key/],
    [404, /nothing is appended/],
    [413, /smaller/],
    [302, /HTTP 302/],
  ]
  for (const [status, hint] of hints) {
    const answer = await answerTo(status, {}, `no\n${'x'.repeat(2_000)}`)
    assert.is(answer.kind, 'rejected', String(status))
    const message = 'message' in answer ? answer.message : ''
    assert.match(message, hint)
    assert.match(message, `HTTP ${status}.`)
    assert.match(message, 'no xxx')
    assert.ok(message.length < 700)
  }
})

test('records that the receiver dropped are told of, and do not come again', async () => {
  const said = JSON.stringify({ partialSuccess: { rejectedLogRecords: '3', errorMessage: 'too old' } })
  const { url, close } = await receiver((response) => response.end(said))
  const host = await started()
  assert.equal(await host.askKeyed('exporter.deliver', 'siem-otlp', delivery({ url })), { kind: 'delivered' })
  await close()
  assert.equal(host.log[0]?.fields, { rejected: 3, said: 'too old' })
})

test('an exporter’s configuration is strict, its headers are secret, and no credential stands in the URL', async () => {
  const { options } = await started()
  const served = options.get('exporter.deliver/siem-otlp')
  assert.equal(served?.secret, ['headers'])
  const accepts = (config: unknown) => served?.config?.safeParse(config).success
  assert.ok(accepts({ url: 'https://otel.example.com/v1/logs', headers: { 'X-Key': 'k' } }))
  for (const config of [
    {},
    { url: 'ftp://example.com' },
    { url: 'https://user:password@example.com' },
    { url: 'https://example.com', header: {} },
    { url: 'https://example.com', headers: { 'X-Key': 'a\r\nX-Other: b' } },
    { url: 'https://example.com', headers: { 'Content-Type': 'text/plain' } },
  ])
    assert.not(accepts(config), JSON.stringify(config))
})

test.run()
