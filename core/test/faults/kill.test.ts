// time-limit: 600
// alone
import { rm } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase } from '../database.js'
import { legacy } from '../door.js'
import { answering, fakeUpstream, yamlOf } from '../fake-upstream.js'
import { makeHome, startGateway, type Access, type Recorded, type RunningGateway } from '../gateway.js'
import { startLoad } from '../load.js'
import { until } from '../until.js'

const ROUNDS = 10

test('ten times killed under load, it has the legs of every call that it answered', async () => {
  const [database, home] = [await testDatabase(), await makeHome()]
  const server = await fakeUpstream(answering({ content: [] }))
  const yaml = yamlOf({ one: server })
  const answered: string[] = []
  let agent: Access | undefined
  for (let round = 1; round <= ROUNDS; round += 1) {
    const gateway = await startGateway({ home, databaseUrl: database.url, yaml })
    agent = {
      ...(agent ?? (await gateway.mintToken({ gateway: 'house', host: 'agent' }))),
      url: `${gateway.url}/mcp/house`,
    }
    await legacy(agent, { method: 'tools/list' })
    const load = startLoad(agent, { workers: 16, name: `round${round}` })
    await load.answeredMore(50 * round)
    await gateway.kill()
    answered.push(...(await load.stop()).answered)
    await gateway.stop()
  }
  assert.ok(answered.length >= 2_750)

  const gateway = await startGateway({ home, databaseUrl: database.url, yaml })
  const recorded = await gateway.recorded({ ...(agent as Access), url: `${gateway.url}/mcp/house` })
  assertComplete(recorded, answered)
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true })
  await database.drop()
})

function assertComplete(recorded: readonly Recorded[], answered: readonly string[]): void {
  const byId = new Map<string, Recorded[]>()
  for (const message of recorded) {
    const id = message.legs[0]?.jsonrpc_id ?? ''
    byId.set(id, [...(byId.get(id) ?? []), message])
  }
  const wrong = answered.filter((id) => {
    const [one, ...more] = byId.get(id) ?? []
    return one === undefined || more.length > 0 || one.legs.length !== 4
  })
  assert.equal(wrong, [], 'each once, with its four legs')
}

/** Through the admin API: nobody else reaches an embedded database. */
async function answeredOnRecord(gateway: RunningGateway): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = (await gateway.api('GET', `/logs?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`)) as {
      readonly items: readonly { readonly jsonrpc_id: string; readonly log_type: string }[]
      readonly next: string | null
    }
    for (const row of page.items) if (row.log_type === 'proxy_response_success') ids.add(row.jsonrpc_id)
    cursor = page.next
  }
  return ids
}

test('killed over its embedded database, it starts again on it with everything it answered', async () => {
  const home = await makeHome()
  const server = await fakeUpstream(answering({ content: [] }))
  const options = { home, databaseUrl: null, yaml: yamlOf({ one: server }) }
  const first = await startGateway(options)
  const agent = await first.mintToken({ gateway: 'house', host: 'agent' })
  const load = startLoad(agent, { workers: 8, name: 'embedded' })
  await load.answeredMore(100)
  await first.kill()
  const { answered } = await load.stop()

  const second = await startGateway(options)
  await until('what was left in the log is carried', async () => {
    const ids = await answeredOnRecord(second)
    return answered.every((id) => ids.has(id)) || undefined
  })
  await second.stop()
  await first.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true })
})

test.run()
