// time-limit: 90
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startGateway, type RunningGateway } from '../gateway.js'

let gateway: RunningGateway
let client: Client
const PEOPLE = 60
test.before(async () => {
  gateway = await startGateway()
  client = new Client({ connectionString: gateway.databaseUrl ?? '' })
  await client.connect()
  for (const slug of ['one', 'two']) await gateway.api('POST', '/gateways', { slug })
  for (const slug of ['bot', 'clerk']) await gateway.api('POST', '/hosts', { slug })
  await client.query(`insert into users (id, email, name, role, enabled, managed_by)
    select gen_random_uuid(), 'p' || n || '@example.com', '', 'member', true, 'api' from generate_series(1, ${PEOPLE}) n`)
  await client.query(`insert into connections (id, host_id, gateway_id, user_id, managed_by)
    select gen_random_uuid(), h.id, g.id, u.id, 'api' from hosts h, gateways g, users u
    where h.slug in ('bot', 'clerk') and g.slug in ('one', 'two') and u.email like 'p%@example.com'`)
})
test.after(async () => {
  await client.end()
  await gateway.stop()
})

interface Page {
  readonly items: readonly Readonly<Record<string, unknown>>[]
  readonly next: string | null
}
const page = async (path: string) => (await gateway.api('GET', path)) as unknown as Page

async function walk(path: string): Promise<Page['items']> {
  const all: Page['items'][number][] = []
  let cursor = ''
  for (;;) {
    const { items, next } = await page(`${path}${path.includes('?') ? '&' : '?'}limit=25${cursor}`)
    all.push(...items)
    assert.ok(items.length <= 25)
    if (next === null) return all
    cursor = `&cursor=${next}`
  }
}

test('connections are narrowed to a host, a gateway, a person, and walked page by page: each once', async () => {
  const all = await walk('/connections?host=bot')
  assert.is(all.length, 2 * PEOPLE)
  assert.is(new Set(all.map(({ id }) => id)).size, all.length)
  assert.ok(all.every(({ host }) => host === 'bot'))
  assert.is((await walk('/connections?host=bot&gateway=two')).length, PEOPLE)
  const mine = await walk('/connections?user=p7@example.com')
  assert.equal(mine.map(({ host, gateway, user }) => `${host} ${gateway} ${user}`).toSorted(), [
    'bot one p7@example.com',
    'bot two p7@example.com',
    'clerk one p7@example.com',
    'clerk two p7@example.com',
  ])
})

test('a narrowing or a cursor that means nothing is refused by name', async () => {
  for (const [path, field] of [
    ['/connections?host=nobody', 'host'],
    ['/connections?user=nobody@example.com', 'user'],
    ['/connections?cursor=00000000-0000-4000-8000-000000000000', 'cursor'],
    ['/tokens?cursor=none', 'cursor'],
    ['/users?cursor=none', 'cursor'],
  ]) {
    const refused = await page(String(path)).catch((thrown: unknown) => String(thrown))
    assert.match(String(refused), new RegExp(`400 .*"field":"${field}"`))
  }
})

test('a host says how many connections it has; one that is used says when', async () => {
  await client.query(`update connections set last_used_at = '2026-01-02T03:04:05Z'
    where id = (select c.id from connections c join hosts h on h.id = c.host_id where h.slug = 'clerk' limit 1)`)
  const hosts = await walk('/hosts?kind=token')
  const seen = hosts.map(({ slug, connections, lastUsedAt }) => [slug, connections, lastUsedAt])
  assert.equal(
    seen.filter(([slug]) => slug === 'bot' || slug === 'clerk'),
    [
      ['bot', 2 * PEOPLE, null],
      ['clerk', 2 * PEOPLE, '2026-01-02T03:04:05.000Z'],
    ],
  )
  assert.equal(await walk('/hosts?kind=oauth'), [])
  const { connections } = await gateway.api('GET', '/hosts/clerk')
  assert.is(connections, 2 * PEOPLE)
})

test('a host is renamed, disabled, enabled and removed, with its connections', async () => {
  assert.is((await gateway.api('PATCH', '/hosts/clerk', { title: 'The clerk' }))['title'], 'The clerk')
  assert.is((await gateway.api('PATCH', '/hosts/clerk', { enabled: false }))['enabled'], false)
  assert.is((await gateway.api('PATCH', '/hosts/clerk', { enabled: true }))['enabled'], true)
  await gateway.api('DELETE', '/hosts/clerk')
  assert.is((await walk('/connections?user=p7@example.com')).length, 2)
})

test('users and tokens are walked page by page, oldest first', async () => {
  const users = await walk('/users')
  assert.ok(users.length >= PEOPLE)
  const ages = users.map(({ createdAt }) => String(createdAt))
  assert.equal(ages, ages.toSorted())
  for (let n = 1; n <= 3; n += 1) await gateway.mintToken({ gateway: 'one', host: 'bot', user: `p${n}@example.com` })
  const tokens = await walk('/tokens?kind=access&user=p2@example.com')
  assert.equal(
    tokens.map(({ user, kind }) => [user, kind]),
    [['p2@example.com', 'access']],
  )
  const [{ connectionId } = {}] = tokens
  assert.is((await walk(`/tokens?connection=${connectionId}`)).length, 1)
})

test.run()
