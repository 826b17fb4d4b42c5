// time-limit: 180
import { Pool } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, modern, type Answer } from '../door.js'
import { yamlOf } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { troubledServer, TROUBLES, type TroubledServer, type TroubleName } from './troubled-server.js'

/** What callers of a server in this trouble get, and what the operator is told. */
interface Expected {
  /** Reasons while it lasts, in the order in which they may come; null: it is answered. */
  readonly reasons: readonly (string | null)[]
  /** Said by the gateway alone: the server is not asked. */
  readonly refusal: RegExp | null
  readonly alert: string | null
}
const EXPECTED: Readonly<Record<TroubleName, Expected>> = {
  killed: { reasons: ['server_unreachable'], refusal: /is not called for now/, alert: 'server_unreachable' },
  hung: {
    reasons: ['server_timeout', 'server_unreachable'],
    refusal: /is not called for now: it did not answer within/,
    alert: 'server_unreachable',
  },
  slow: { reasons: [null], refusal: null, alert: null },
  limited: { reasons: ['rate_limited'], refusal: /asked for patience/, alert: null },
  unauthorised: {
    reasons: ['connect_required'],
    refusal: /is not called with this credential for now/,
    alert: 'server_auth_failed',
  },
  cut: { reasons: ['server_unreachable'], refusal: /is not called for now/, alert: 'server_unreachable' },
}
const names = Object.keys(TROUBLES) as TroubleName[]

const servers = new Map<string, TroubledServer>()
let gateway: RunningGateway
let agent: Access
let database: Pool

test.before(async () => {
  for (const name of [...names, 'good', 'better']) servers.set(name, await troubledServer(`act_${name}`))
  gateway = await startGateway({
    yaml: yamlOf(Object.fromEntries([...servers].map(([name, { url }]) => [name, url])), {
      settings: '{ limits: { call: 1s, list: 1s } }',
    }),
  })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  database = new Pool({ connectionString: gateway.databaseUrl ?? '', max: 1 })
  await legacy(agent, { method: 'tools/list' })
})
test.after(async () => {
  await database.end()
  await gateway.stop()
  for (const server of servers.values()) await server.stop()
})

const reasonOf = ({ json }: Answer): string | null => json.error?.data?.reason ?? (json.result ? null : 'no answer')
const ask = (name: string) => modern(agent, call(`act_${name}`))

interface AlertRow {
  readonly type: string
  readonly state: string
  readonly count: number
  readonly message: string
}
const alertsOf = async (slug: string): Promise<readonly AlertRow[]> => {
  const text = `select type, state, count, message from alerts where context->>'server' = $1 order by first_at`
  return (await database.query<AlertRow>(text, [slug])).rows
}
const marksOf = ({ json }: Answer): Readonly<Record<string, string>> => {
  const marks = (json.result._meta?.['gatehouse/servers'] ?? []) as { server: string; state: string }[]
  return Object.fromEntries(marks.map(({ server, state }) => [server, state]))
}

/** Five at once, again and again, until the gateway refuses by itself; a slow server is asked three times. */
async function callUntilRefused(name: TroubleName, { refusal }: Expected): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  const round = async () => {
    const own = await Promise.all(Array.from({ length: 5 }, () => ask(name)))
    answers.push(...own)
    return own.some(({ json }) => refusal?.test(json.error?.message ?? '')) || undefined
  }
  if (refusal === null) for (let n = 0; n < 3; n++) await round()
  else await until(`calls of ${name} are refused`, round)
  return answers
}

/** One call after the other of the two that are well; how long each took. */
function othersAreCalled() {
  let goesOn = true
  const times: number[] = []
  const others = async (name: string) => {
    while (goesOn) {
      const sent = performance.now()
      assert.is(reasonOf(await ask(name)), null, name)
      times.push(performance.now() - sent)
    }
  }
  const all = Promise.all(['good', 'better'].map(others))
  return async () => {
    goesOn = false
    await all
    return times
  }
}

for (const name of names)
  test(`a ${name} server fails its own calls alone, is told of once, and comes back without a restart`, async () => {
    const server = servers.get(name) as TroubledServer
    const expected = EXPECTED[name]
    assert.is(reasonOf(await ask(name)), null)
    const ends = othersAreCalled()
    const before = server.calls()
    await server.befall(name)
    const answers = await callUntilRefused(name, expected)

    for (const answer of answers) {
      assert.ok(expected.reasons.includes(reasonOf(answer)), answer.text)
      if (answer.json.error !== undefined) assert.is(answer.json.error.data.server, name)
    }
    const refused = answers.filter(({ json }) => expected.refusal?.test(json.error?.message ?? ''))
    for (const { json } of refused) {
      assert.is(json.error.data.retryable, true)
      const wait = json.error.data.retryAfterMs
      assert.ok(wait > 0 && wait <= 4_000, `${wait} ms`)
    }
    // What was refused was not sent, and nothing was sent twice.
    const sent = name === 'killed' ? 0 : answers.length - refused.length
    assert.is(server.calls() - before, sent)

    const listed = await legacy(agent, { method: 'tools/list' })
    const tools = (listed.json.result.tools as { name: string }[]).map((tool) => tool.name)
    for (const other of ['act_good', 'act_better']) assert.ok(tools.includes(other), other)
    if (expected.alert === 'server_unreachable') assert.is(marksOf(listed)[name], 'stale')
    const alerts = await until('what is told is told', async () => {
      const rows = await alertsOf(name)
      return expected.alert === null || rows.length > 0 ? rows : undefined
    })
    const shown = alerts.filter(({ type }) => type !== 'server_misbehaved')
    assert.equal(
      shown.map(({ type, state, count }) => [type, state, count]),
      expected.alert === null ? [] : [[expected.alert, 'open', 1]],
    )
    for (const { message } of shown) assert.match(message, `Server "${name}" `)
    assert.ok((await ends()).every((ms) => ms < 1_000))

    await server.heal()
    await until(`${name} is answered again`, async () => (reasonOf(await ask(name)) === null ? true : undefined))
    await until('its list is whole again', async () => {
      const mark = marksOf(await legacy(agent, { method: 'tools/list' }))[name]
      return mark === undefined ? true : undefined
    })
    const ended = await until('what is over is resolved', async () => {
      const rows = (await alertsOf(name)).filter(({ type }) => type === expected.alert)
      return rows.every(({ state }) => state === 'resolved') ? rows : undefined
    })
    assert.is(ended.length, shown.length)
  })

test('the record tells what was refused from what was sent', async () => {
  const sent = new Map<string, Set<string>>()
  for (const { legs } of await gateway.recorded(agent)) {
    const failed = legs.find(({ error }) => error !== null)
    if (legs[0]?.method !== 'tools/call' || failed === undefined) continue
    const types = legs.map(({ log_type }) => log_type).join(' ')
    const server = legs.find(({ inbound_server_name }) => inbound_server_name !== null)?.inbound_server_name ?? ''
    sent.set(server, (sent.get(server) ?? new Set()).add(types))
  }
  const wasSent = 'proxy_request_success mcp_request_success mcp_response_error proxy_response_error'
  const wasNot = 'proxy_request_success mcp_request_error proxy_response_error'
  for (const name of ['hung', 'limited', 'unauthorised', 'cut'])
    assert.equal([...(sent.get(name) ?? [])].toSorted(), [wasNot, wasSent].toSorted(), name)
  assert.equal([...(sent.get('killed') ?? [])], [wasNot])
})

test.run()
