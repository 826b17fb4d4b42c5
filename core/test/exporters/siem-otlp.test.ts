// time-limit: 180
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gatehouse } from '../configuration/command.js'
import { call, legacy, modern } from '../door.js'
import { answering, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { startCollector, type Collected, type Collector } from './collector.js'

const KEY = 'sw0rdfish-of-the-collector'
let server: FakeServer
let collector: Collector
let gateway: RunningGateway
test.before(async () => {
  server = await fakeUpstream(answering({ content: [{ type: 'text', text: 'call 555-12-3456' }] }))
  collector = await startCollector()
  const soc = `exporters:
  soc: { plugin: siem-otlp, url: ${JSON.stringify(collector.url)}, headers: { X-Key: "\${env:SOC_KEY}" }, environment: lab }
`
  const rules = ["{ name: Mask, engine: regex, hook: response, patterns: ['\\d{3}-\\d{2}-\\d{4}'], action: mask }"]
  gateway = await startGateway({ yaml: `${yamlOf({ one: server }, { rules })}${soc}`, env: { SOC_KEY: KEY } })
})
test.after(async () => {
  await gateway.stop()
  await collector.away()
  await server.stop()
})

let agents = 0
const newAgent = (): Promise<Access> => gateway.mintToken({ gateway: 'house', host: `agent-${(agents += 1)}` })
const of = (access: Access, method = 'tools/call'): readonly Collected[] =>
  collector
    .taken()
    .filter(({ attributes }) => attributes['host_name'] === access.host && attributes['method'] === method)
const arrived = (access: Access, records: number) =>
  until(`${records} records have arrived`, () => (of(access).length >= records ? of(access) : undefined), {
    seconds: 30,
  })
const idsOf = (records: readonly Collected[]) => records.map(({ attributes }) => attributes['log_id'] ?? '')

test('each call is four records with the facts of each leg', async () => {
  const access = await newAgent()
  const since = Date.now()
  await modern(access, call('act'))
  const records = await arrived(access, 4)
  assert.equal(
    records.map(({ body }) => body),
    ['proxy_request_success', 'mcp_request_success', 'mcp_response_success', 'proxy_response_success'],
  )
  const [correlation] = records.map(({ attributes }) => attributes['correlation_id'])
  assert.equal(
    idsOf(records),
    [1, 2, 3, 4].map((n) => `${correlation}-${n}`),
  )
  for (const { attributes, resource, severity, time } of records) {
    const { log_type: _type, log_id: _id, ...facts } = attributes
    assert.is(facts['feature_name'], 'act')
    assert.is(facts['feature_type'], 'tool')
    assert.is(facts['outbound_gateway_name'], 'house')
    assert.is(facts['user_email'], 'operator@localhost')
    assert.is(facts['protocol_version'], '2026-07-28')
    assert.ok(Number(facts['bytes']) > 0)
    assert.is(severity, attributes['receipts'] === undefined ? 'INFO' : 'WARN', 'a change by a rule stands out')
    assert.ok(Math.abs(Number(time) / 1e6 - since) < 60_000, 'times are in nanoseconds')
    assert.equal([resource['service.name'], resource['deployment.environment']], ['gatehouse', 'lab'])
  }
  assert.equal(
    records.map(({ attributes }) => attributes['inbound_server_name'] ?? null),
    [null, 'one', 'one', null],
  )
  const receipts = JSON.parse(records[3]?.attributes['receipts'] ?? records[2]?.attributes['receipts'] ?? '[]')
  assert.equal([receipts[0].rule_name, receipts[0].verdict], ['Mask', 'modify'])
  assert.not.match(JSON.stringify(records), /555-12-3456/)
})

test('a refusal is exported, too', async () => {
  const before = collector.taken().length
  const { url } = await newAgent()
  await legacy({ url, token: 'API_nobody', tokenId: '', host: '' }, call('act'))
  const refused = await until('it has arrived', () =>
    collector
      .taken()
      .slice(before)
      .find(({ body }) => body === 'auth_refused'),
  )
  assert.is(refused.attributes['http_status_code'], '401')
})

test('the URL is used as it stands, and the secret headers go there and nowhere else', async () => {
  const access = await newAgent()
  await legacy(access, call('act'))
  await arrived(access, 4)
  for (const { path, headers } of collector.requests) {
    assert.is(path, '/v1/logs?tenant=7')
    assert.is(headers['x-key'], KEY)
    assert.match(headers['content-type'] ?? '', /^application\/json/)
  }
  const shown = await gateway.api('GET', '/exporters/soc')
  assert.match(JSON.stringify(shown), /X-Key/, 'the name is shown')
  const { out } = await gatehouse(gateway, ['export'])
  const answers = [shown, await gateway.api('GET', '/exporters'), out, await gateway.recorded(access)]
  assert.not(JSON.stringify(answers).includes(KEY))
  assert.not(gateway.logs().includes(KEY))
})

test('through an outage of the collector nothing is missing, and repeats carry the same log_id', async () => {
  const access = await newAgent()
  let calls = 0
  const work = async (n: number) => {
    for (let i = 0; i < n; i += 1) await legacy(access, call('act'))
    calls += n
  }
  await work(5)
  collector.status = 503
  const before = collector.requests.length
  await work(20)
  await until('it was asked in vain', () =>
    collector.requests.slice(before).some(({ status }) => status === 503) ? true : undefined,
  )
  await collector.away()
  await work(20)
  const status = await until('the exporter says so', async () => {
    const now = (await gateway.api('GET', '/exporters/soc')) as { delivery?: { lastError?: string | null } }
    return now.delivery?.lastError ?? undefined
  })
  assert.ok(status)
  collector.status = 200
  await collector.back()
  await work(5)
  const records = await arrived(access, calls * 4)
  const ids = idsOf(records)
  assert.is(new Set(ids).size, calls * 4, 'each leg is there')
  const refused = collector.requests.filter((request) => request.status === 503).flatMap((one) => idsOf(one.records))
  const taken = new Set(idsOf(collector.taken()))
  assert.ok(refused.length > 0)
  for (const id of refused) assert.ok(taken.has(id), `${id} came again under its own name`)
  const own = idsOf(records).map((id) => id.slice(0, -2))
  const onRecord = (await gateway.recorded(access)).filter(({ method }) => method === 'tools/call')
  assert.equal(
    [...new Set(own)],
    onRecord.map(({ correlationId }) => correlationId),
    'in the order of the record',
  )
  assert.not(gateway.logs().includes(KEY))
})

test('what a gateway did not deliver before kill -9 is delivered after it', async () => {
  const { home, databaseUrl } = gateway
  const access = await newAgent()
  collector.status = 503
  for (let i = 0; i < 10; i += 1) await legacy(access, call('act'))
  await gateway.kill()
  collector.status = 200
  const again = await startGateway({ home, databaseUrl, env: { SOC_KEY: KEY } })
  const records = await arrived(access, 40)
  assert.is(new Set(idsOf(records)).size, 40)
  await again.stop()
})

test.run()
