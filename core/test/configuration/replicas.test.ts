// time-limit: 120
import { randomBytes } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase, type TestDatabase } from '../database.js'
import { call, legacy, openSession } from '../door.js'
import { answering, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'

let server: FakeServer
let database: TestDatabase
let one: RunningGateway
let other: RunningGateway
test.before(async () => {
  server = await fakeUpstream(answering({ content: [{ type: 'text', text: 'xyzzy' }] }))
  database = await testDatabase()
  const shared = {
    databaseUrl: database.url,
    env: { GATEHOUSE_MASTER_KEY: randomBytes(32).toString('base64') },
  }
  one = await startGateway(shared)
  other = await startGateway(shared)
  await one.api('POST', '/servers', { slug: 'only', url: server.url })
  await one.api('POST', '/gateways', { slug: 'house', servers: [{ server: 'only' }] })
})
test.after(async () => {
  await one.stop()
  await other.stop()
  await server.stop()
  await database.drop()
})

let agents = 0
const newAgent = async (): Promise<{ here: Access; there: Access }> => {
  const here = await one.mintToken({ gateway: 'house', host: `agent-${(agents += 1)}` })
  return { here, there: { ...here, url: here.url.replace(one.url, other.url) } }
}

/** Asks the other replica again and again; answers how long after the change the last request began that did not know it. */
async function lag(access: Access, change: () => Promise<unknown>, knows: (said: string) => boolean): Promise<number> {
  await change()
  const changedAt = performance.now()
  let ignorant = changedAt
  await until('the other replica knows', async () => {
    const askedAt = performance.now()
    const { status, text } = await legacy(access, call('act'))
    if (knows(`${status} ${text}`)) return true
    ignorant = askedAt
    return undefined
  })
  return ignorant - changedAt
}

const CHANGES: readonly (readonly [string, (access: Access) => Promise<unknown>, RegExp])[] = [
  ['a revoked token', ({ tokenId }) => one.api('DELETE', `/tokens/${tokenId}`), /^401/],
  ['a disabled host', ({ host }) => one.api('PATCH', `/hosts/${host}`, { enabled: false }), /^403/],
  ['a disabled server', () => one.api('PATCH', '/servers/only', { enabled: false }), /server_disabled/],
  ['an enabled server', () => one.api('PATCH', '/servers/only', { enabled: true }), /^200 .*xyzzy/],
  [
    'a new rule',
    () =>
      one.api('POST', '/gateways/house/rules', {
        ...{ name: 'No xyzzy', engine: 'regex', hook: 'response', patterns: ['xyzzy'], action: 'block' },
      }),
    /Blocked by policy/,
  ],
]
for (const [what, change, known] of CHANGES)
  test(`${what} holds at the other replica within one second`, async () => {
    const { here, there } = await newAgent()
    await until('what was made here is good there', async () =>
      (await legacy(there, call('act'))).status === 200 ? true : undefined,
    )
    const late = await lag(
      there,
      () => change(here),
      (said) => known.test(said),
    )
    assert.ok(late < 1_000, `it took ${late} ms`)
  })

test('a session that was opened at one replica goes on at the other', async () => {
  const { here, there } = await newAgent()
  const session = await openSession(here)
  assert.is((await legacy(there, { method: 'ping' }, { session })).status, 200)
  const { there: stranger } = await newAgent()
  assert.is((await legacy(stranger, { method: 'ping' }, { session })).status, 404, 'but for nobody else')
})

test('what went through either replica is in one record', async () => {
  const { here, there } = await newAgent()
  await legacy(here, call('act'))
  await legacy(there, call('act'))
  const calls = await until('both are on record', async () => {
    const all = await one.recorded(here)
    const found = all.filter(({ method }) => method === 'tools/call')
    return found.length === 2 ? found : undefined
  })
  for (const { legs } of calls) assert.is(legs.length, 4)
})

test.run()
