// time-limit: 420
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RunningGateway } from '../gateway.js'
import type { FakeServer } from '../fake-upstream.js'
import { startCluster, type Cluster } from '../replicas/cluster.js'
import { until } from '../until.js'
import { apiAs, echoing, ended, HOUR_AGO, regex, yamlFor, type Api } from './house.js'

const MESSAGES = 30_000

let server: FakeServer
let cluster: Cluster
let [here, there]: RunningGateway[] = []
let [api, elsewhere]: Api[] = []

const test = suite('backtests at several replicas')

test.before(async () => {
  server = await echoing()
  cluster = await startCluster({ yaml: yamlFor(server) })
  ;[here, there] = cluster.gateways
  api = apiAs(here as RunningGateway, (here as RunningGateway).adminToken)
  elsewhere = apiAs(there as RunningGateway, (there as RunningGateway).adminToken)
  // More than a backtest can read while the test looks at it.
  await cluster.sql(
    `with made as (insert into messages (at, id, method, feature_type, feature, gateway_id, outcome, duration_ms, legs)
       select clock_timestamp() - n * interval '10 milliseconds', gen_random_uuid(), 'tools/call', 'tool', 'echo',
         (select id from gateways where slug = 'plain'), 'proxy_response_success', 1, '[]'
       from generate_series(1, ${MESSAGES}) n returning at, id)
     insert into message_bodies (at, id, request)
       select at, id, '{"method":"tools/call","params":{"name":"echo","arguments":{"text":"' || repeat('some text ', 200) || '"}}}'
       from made`,
  )
})

test.after(async () => {
  await cluster.stop()
  await server.stop()
})

const begin = async (at: Api, rules: readonly object[]) =>
  (await at('POST', '/rules/replay', { gateway: 'plain', rules, since: HOUR_AGO() })).json.id as string
const seen = (at: Api, id: string) => at('GET', `/rules/replays/${id}`).then(({ json }) => json)

test('another replica tells of it while it runs, with what was found so far, and cancels it', async () => {
  const id = await begin(api as Api, [regex('Text', 'some text')])
  const partial = await until(
    'something was found',
    async () => {
      const told = await seen(elsewhere as Api, id)
      return told.report?.outcomes.block > 0 ? told : undefined
    },
    { seconds: 60 },
  )
  assert.is(partial.state, 'running')
  assert.ok(partial.progress.read < MESSAGES)
  assert.is(partial.progress.total, MESSAGES)
  assert.is((await (elsewhere as Api)('DELETE', `/rules/replays/${id}`)).status, 204)
  const told = await ended(api as Api, id)
  assert.is(told.state, 'cancelled')
  assert.is(told.report.stoppedBy, 'cancel')
  assert.ok(told.report.messages < MESSAGES, 'it did not read on')
})

test('a replica runs one at a time; one that waits can be cancelled too', async () => {
  const [first, second] = [await begin(api as Api, [regex('A', 'none')]), await begin(api as Api, [regex('B', 'none')])]
  await until('the first runs', async () => ((await seen(api as Api, first)).progress.read > 0 ? true : undefined), {
    seconds: 60,
  })
  assert.is((await seen(elsewhere as Api, second)).state, 'queued')
  await (elsewhere as Api)('DELETE', `/rules/replays/${second}`)
  await (api as Api)('DELETE', `/rules/replays/${first}`)
  assert.is((await ended(api as Api, second)).state, 'cancelled')
  assert.is((await seen(api as Api, second)).report, null, 'it never began')
})

test('more than a few that wait are refused', async () => {
  const ids: string[] = []
  let refused = null
  for (let n = 0; n < 12 && refused === null; n += 1) {
    const { status, json } = await (api as Api)('POST', '/rules/replay', {
      gateway: 'plain',
      rules: [regex('A', 'none')],
      since: HOUR_AGO(),
    })
    if (status === 202) ids.push(json.id)
    else refused = { status, code: json.error.code }
  }
  assert.equal(refused, { status: 429, code: 'GH_BACKTEST_BUSY' })
  for (const id of ids.toReversed()) await (api as Api)('DELETE', `/rules/replays/${id}`)
  for (const id of ids) await ended(api as Api, id)
})

test('one whose replica is killed is told to be lost', async () => {
  const id = await begin(api as Api, [regex('A', 'none')])
  await until('it runs', async () => ((await seen(elsewhere as Api, id)).progress.read > 0 ? true : undefined), {
    seconds: 60,
  })
  await (here as RunningGateway).kill()
  await cluster.sql(`update rule_replays set beat_at = beat_at - interval '61 seconds' where id = '${id}'`)
  const told = await ended(elsewhere as Api, id)
  assert.is(told.state, 'failed')
  assert.match(told.reason, 'Start it again')
  await until('its process has gone with it', async () => {
    const rows = await cluster.sql("select 1 from pg_stat_activity where application_name = 'gatehouse backtest'")
    return rows.length === 0 ? true : undefined
  })
})

test.run()
