import { randomUUID } from 'node:crypto'
import type { Alert } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Raised } from '../domain/alerts.js'
import { until } from '../test/until.js'
import { createAlertRepository } from './repositories/alerts.js'
import { createReplicaRows } from './repositories/replicas.js'
import { createStore } from './repositories/store.js'
import { fakeVault, gatewayDraft, migratedDatabase, ruleDraft, serverDraft, userDraft } from './testing.js'

const database = await migratedDatabase()
const { dataSource } = database
const alerts = createAlertRepository(dataSource)
const store = createStore({ dataSource, vault: fakeVault })
test.after(() => database.drop())
test.before.each(async () => void (await dataSource.query('delete from alerts')))

const ALERT: Alert = { type: 'rule_blocked', severity: 'warning', key: 'rule-1', message: 'first' }
const raise = async (alert: Partial<Alert> = {}, more: Partial<Raised> = {}) => {
  const [row] = await alerts.raise([{ alert: { ...ALERT, ...alert }, times: 1, ...more }])
  if (row === undefined) throw new Error('nothing was raised')
  return row
}
const ANA = { id: randomUUID(), email: 'ana@example.com' }
const to = (state: 'open' | 'acknowledged' | 'resolved', note: string | null = null) => ({ state, by: ANA, note })
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  )
const stateOf = async (id: string) => (await alerts.find(id))?.state

test('an alert that repeats is counted; one that was resolved is raised anew', async () => {
  const first = await raise()
  const again = await raise({ message: 'second', context: { n: 2 } })
  assert.equal([again.id, again.count], [first.id, 2])
  const { message, context } = (await alerts.find(first.id)) ?? {}
  assert.equal([message, context], ['second', { n: 2 }])
  const racing = await Promise.all(Array.from({ length: 8 }, () => raise({ key: 'rule-2' }, { times: 3 })))
  assert.is(new Set(racing.map(({ id }) => id)).size, 1)
  assert.is(Math.max(...racing.map(({ count }) => count)), 24)
  assert.is((await alerts.setState(first.id, to('resolved'))).state, 'resolved')
  const anew = await raise()
  assert.is.not(anew.id, first.id)
  assert.is(anew.count, 1)
})

test('an alert that was acknowledged stays so while it repeats', async () => {
  const { id } = await raise()
  await alerts.setState(id, to('acknowledged'))
  const again = await raise()
  assert.equal([again.id, again.count, again.state], [id, 2, 'acknowledged'])
})

test('states lead from open to resolved and back, and each change stands in the history', async () => {
  const { id } = await raise()
  await alerts.setState(id, to('acknowledged', 'on it'))
  await alerts.setState(id, to('acknowledged', 'twice is once'))
  await alerts.setState(id, to('resolved'))
  assert.is(await codeOf(alerts.setState(id, to('acknowledged'))), 'GH_API_CONFLICT')
  await alerts.setState(id, to('open', 'not over'))
  const history = (await alerts.history(id)).map(({ state, email, note }) => [state, email, note])
  assert.equal(history, [
    ['acknowledged', ANA.email, 'on it'],
    ['resolved', ANA.email, null],
    ['open', ANA.email, 'not over'],
  ])
  assert.is(await codeOf(alerts.setState(randomUUID(), to('open'))), 'GH_API_NOT_FOUND')
  assert.is(await codeOf(alerts.setState('nonsense', to('open'))), 'GH_API_NOT_FOUND')
})

test('an old alert is not reopened beside a newer one of its kind', async () => {
  const { id } = await raise()
  await alerts.setState(id, to('resolved'))
  await raise()
  assert.is(await codeOf(alerts.setState(id, to('open'))), 'GH_API_CONFLICT')
  assert.is(await stateOf(id), 'resolved')
})

test('the feed is read page by page, filtered, with the names of what each is about', async () => {
  const server = await store.servers.insert(serverDraft('crm'))
  const user = await store.users.insert(userDraft('ana@example.com'))
  const gateway = await store.gateways.insert(gatewayDraft('house'))
  await store.gateways.setRules(gateway.id, [ruleDraft('SSN')])
  const rule = (await store.gateways.find(gateway.id))?.rules[0]
  const about = { serverId: server.id, userId: user.id, gatewayId: gateway.id, ruleId: rule?.id ?? '' }
  const full = await raise({ ...about, key: 'full' })
  await raise({ key: 'gone', serverId: randomUUID(), severity: 'error', type: 'server_unreachable' })
  for (let n = 0; n < 5; n += 1) await raise({ key: `plain-${n}`, severity: 'info' })

  const seen = await alerts.find(full.id)
  assert.equal([seen?.server, seen?.user, seen?.gateway, seen?.rule], ['crm', 'ana@example.com', 'house', 'SSN'])
  const ids: string[] = []
  let before: Awaited<ReturnType<typeof alerts.page>>[number] | undefined
  for (;;) {
    const page = await alerts.page({ before, limit: 3 })
    ids.push(...page.map(({ id }) => id))
    before = page.at(-1)
    if (page.length < 3) break
  }
  assert.is(new Set(ids).size, 7)
  const keys = async (filter: Parameters<typeof alerts.page>[0]) => (await alerts.page(filter)).map(({ key }) => key)
  for (const filter of [
    { serverId: server.id },
    { userId: user.id },
    { gatewayId: gateway.id },
    { ruleId: rule?.id },
    { severities: ['warning' as const] },
  ])
    assert.equal(await keys({ ...filter, limit: 10 }), ['full'])
  assert.equal(await keys({ types: ['server_unreachable'], states: ['open'], limit: 10 }), ['gone'])
  assert.equal(await keys({ states: ['resolved', 'acknowledged'], limit: 10 }), [])
  assert.equal(await keys({ since: Date.now() + 60_000, limit: 10 }), [])
  assert.is((await keys({ until: Date.now() + 60_000, limit: 10 })).length, 7)
  await alerts.setState(full.id, to('acknowledged'))
  assert.equal(await alerts.counts(), {
    open: { error: 1, warning: 0, info: 5 },
    acknowledged: { error: 0, warning: 1, info: 0 },
  })
})

test('many are acknowledged at once, and only those that fit and are open', async () => {
  const [first, second, other] = [
    await raise(),
    await raise({ key: 'b' }),
    await raise({ key: 'c', severity: 'error' }),
  ]
  await alerts.setState(second.id, to('resolved'))
  assert.is(await alerts.acknowledgeAll({ severities: ['warning'] }, ANA, 'seen'), 1)
  assert.equal(
    [await stateOf(first.id), await stateOf(second.id), await stateOf(other.id)],
    ['acknowledged', 'resolved', 'open'],
  )
  assert.is(await alerts.acknowledgeAll({ ids: [other.id, 'nonsense'] }, ANA, null), 1)
  assert.equal(
    (await alerts.history(first.id)).map(({ note }) => note),
    ['seen'],
  )
})

test('who follows the feed misses nothing that is under way, and hears of states', async () => {
  const start = await alerts.follow(null, {})
  assert.equal(start.items, [])
  const slow = dataSource.createQueryRunner()
  await slow.startTransaction()
  await slow.query(
    `insert into alerts (id, type, severity, key, message) values ($1, 'rule_blocked', 'info', 'slow', 'm')`,
    [randomUUID()],
  )
  await raise({ key: 'quick' })
  const keysSince = async (cursor: string) => {
    const { items, cursor: next } = await alerts.follow(cursor, {})
    return { keys: items.map(({ key }) => key).toSorted(), next }
  }
  const during = await keysSince(start.cursor)
  assert.equal(during.keys, [], 'what is behind a change under way waits for it')
  await slow.commitTransaction()
  await slow.release()
  // Transactions of other databases on this server hold it up, too.
  let cursor = during.next
  const seen: string[] = []
  const followUntil = (count: number) =>
    until(`${count} changes are followed`, async () => {
      const { keys, next } = await keysSince(cursor)
      cursor = next
      seen.push(...keys)
      return seen.length >= count ? true : undefined
    })
  await followUntil(2)
  assert.equal(seen.toSorted(), ['quick', 'slow'])
  const quick = (await alerts.page({ limit: 10 })).find(({ key }) => key === 'quick')
  await alerts.setState(quick?.id ?? '', to('acknowledged'))
  await followUntil(3)
  assert.is(seen[2], 'quick')
})

test('what an alert told of can be over by itself: by type and key, whoever has seen it', async () => {
  const server = { type: 'server_unreachable', severity: 'error', key: 'crm' } as const
  const first = await raise(server)
  const other = await raise({ ...server, key: 'mail' })
  const namesake = await raise({ ...server, type: 'server_misbehaved' })
  await alerts.setState(first.id, to('acknowledged'))
  assert.equal([await alerts.resolve(server.type, 'crm'), await alerts.resolve(server.type, 'crm')], [true, false])
  assert.equal(await Promise.all([first, other, namesake].map(({ id }) => stateOf(id))), ['resolved', 'open', 'open'])
  assert.equal(
    (await alerts.history(first.id)).map(({ state, email }) => [state, email]),
    [
      ['acknowledged', ANA.email],
      ['resolved', null],
    ],
  )
})

test('what several replicas found is over when each of them says so, or is dead', async () => {
  const rows = createReplicaRows(dataSource)
  for (const id of ['aaaa', 'bbbb', 'cccc']) await rows.register(id, null)
  const server = { type: 'server_unreachable', severity: 'error', key: 'held' } as const
  const { id } = await raise(server, { holder: 'aaaa' })
  await raise(server, { holder: 'bbbb' })
  await raise(server, { holder: 'aaaa' })
  assert.is(await alerts.resolve(server.type, 'held', 'cccc'), false, 'it never said that it was down')
  assert.is(await alerts.resolve(server.type, 'held', 'aaaa'), false)
  assert.is(await stateOf(id), 'open')
  assert.equal(await alerts.forsaken(), [])
  await dataSource.query(`update replicas set beat_at = clock_timestamp() - interval '16 seconds' where id = 'bbbb'`)
  assert.equal(await alerts.forsaken(), [{ type: server.type, key: 'held' }])
  assert.is(await alerts.resolve(server.type, 'held', 'cccc'), true, 'the last one that held it is dead')
  assert.is(await stateOf(id), 'resolved')
})

test('what was resolved long ago is forgotten; what has not repeated for as long is resolved first', async () => {
  const [old, resolved, recent] = [await raise(), await raise({ key: 'b' }), await raise({ key: 'c' })]
  await alerts.setState(resolved.id, to('resolved'))
  const age = `clock_timestamp() - interval '91 days'`
  await dataSource.query(`update alerts set last_at = ${age} where id = $1`, [old.id])
  await dataSource.query(`update alerts set state_at = ${age} where id = $1`, [resolved.id])
  await alerts.forget(90, 100)
  assert.equal(
    [await stateOf(old.id), await stateOf(resolved.id), await stateOf(recent.id)],
    ['resolved', undefined, 'open'],
  )
  assert.match((await alerts.history(old.id))[0]?.note ?? '', /90 days/)
  await dataSource.query(`update alerts set state_at = ${age} where id = $1`, [old.id])
  assert.is(await alerts.forget(90, 100), 1)
  assert.is(await stateOf(old.id), undefined)
})

test('10,000 different alerts are stored with one statement for every 500', async () => {
  const many = Array.from({ length: 10_000 }, (_, n) => ({ alert: { ...ALERT, key: `many-${n}` }, times: 2 }))
  for (let from = 0; from < many.length; from += 500) await alerts.raise(many.slice(from, from + 500))
  const [row]: { n: string; total: string }[] = await dataSource.query(
    'select count(*) as n, sum(count) as total from alerts',
  )
  assert.equal([row?.n, row?.total], ['10000', '20000'])
})

test('what is raised and what is acknowledged at the same time never wait for each other', async () => {
  const keys = Array.from({ length: 400 }, (_, n) => `deadlock-${n}`)
  const batch = (): Raised[] => keys.map((key) => ({ alert: { ...ALERT, key }, times: 1 }))
  await alerts.raise(batch())
  for (let round = 0; round < 15; round += 1) {
    await dataSource.query(`update alerts set state = 'open'`)
    const both = [alerts.raise(batch()), alerts.acknowledgeAll({}, ANA, null), alerts.raise(batch().toReversed())]
    assert.equal(
      (await Promise.allSettled(both)).flatMap((one) => (one.status === 'rejected' ? [String(one.reason.detail)] : [])),
      [],
    )
  }
})

test.run()
