import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { testDatabase } from '../test/database.js'
import { migrate, openDatabase } from './data-source.js'
import { createStore } from './repositories/store.js'
import { fakeVault, quietLog, serverDraft } from './testing.js'

/** A way to the database that can be cut and mended. */
async function wire(url: string) {
  const { hostname, port, searchParams } = new URL(url)
  const socketDir = searchParams.get('host')
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = socketDir
      ? connect(`${socketDir}/.s.PGSQL.${port || 5432}`)
      : connect(Number(port || 5432), hostname)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => (sockets.delete(from), to.destroy()))
      from.pipe(to)
    }
  })
  const listen = async (at: number): Promise<number> => {
    proxy.listen(at, '127.0.0.1')
    await once(proxy, 'listening')
    return (proxy.address() as AddressInfo).port
  }
  const at = await listen(0)
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(at)
  through.search = ''
  const cut = async (): Promise<void> => {
    proxy.close()
    for (const socket of sockets) socket.destroy()
    await once(proxy, 'close')
  }
  return { url: through.href, cut, mend: () => listen(at) }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'answered',
    (thrown: unknown) => (thrown instanceof GatehouseError ? thrown.code : String(thrown)),
  )
}

const database = await testDatabase()

test('two replicas that start at once on an empty database migrate it once', async () => {
  const both = await Promise.all([1, 2].map(() => openDatabase(database.url, { log: quietLog })))
  assert.is(await migrate(both[0]!), 0)
  const applied: unknown[] = await both[0]!.query('select * from migrations')
  assert.is(applied.length, both[0]!.migrations.length)
  for (const each of both) await each.destroy()
})

test('a database that goes away and comes back is heard again by itself', async () => {
  const way = await wire(database.url)
  let onWarning: () => unknown = () => undefined
  const log = { warn: () => void onWarning() }
  const dataSource = await openDatabase(way.url, { log, poolSize: 3 })
  const store = createStore({ dataSource, vault: fakeVault })
  const { id } = await store.servers.insert(serverDraft('before'))

  const halfDone = store.transaction(async (inside) => {
    await inside.servers.update(id, { title: 'never' })
    await way.cut()
    await inside.servers.update(id, { title: 'at all' })
  })
  assert.is(await codeOf(halfDone), 'GH_DB_UNAVAILABLE')
  for (const call of [store.epoch(), store.servers.all(), store.bumpEpoch(), store.transaction(async () => undefined)])
    assert.is(await codeOf(call), 'GH_DB_UNAVAILABLE')

  await way.mend()
  assert.is((await store.servers.find(id))?.title, 'before')
  assert.equal(await Promise.all([1, 2, 3, 4, 5].map(() => store.epoch())), [1, 1, 1, 1, 1])

  const idle = 3
  let broken = 0
  const allBroken = new Promise<void>((resolve) => (onWarning = () => ++broken === idle && resolve()))
  const other = await openDatabase(database.url, { log: quietLog })
  await other.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  )
  await allBroken
  assert.is(await store.epoch(), 1)
  await other.destroy()
  await dataSource.destroy()
  assert.is(await codeOf(store.epoch()), 'GH_DB_UNAVAILABLE')
  await way.cut()
})

test('a database that nobody serves refuses the start, and says no secret', async () => {
  const url = 'postgresql://someone:s3cret@127.0.0.1:1/none'
  const refused = await openDatabase(url, { log: quietLog }).catch((error: GatehouseError) => error)
  assert.instance(refused, GatehouseError)
  assert.is((refused as GatehouseError).code, 'GH_DB_UNAVAILABLE')
  const said = `${String(refused)} ${(refused as GatehouseError).detail} ${String((refused as GatehouseError).cause)}`
  assert.not.match(said, 's3cret')
})

test('an unforeseen failure of a statement goes out without its parameters', async () => {
  const dataSource = await openDatabase(database.url, { log: quietLog })
  const store = createStore({ dataSource, vault: fakeVault })
  await dataSource.query('alter table secrets rename to secrets_away')
  const thrown = await store.secrets.put({ kind: 'k', id: 'i' }, 'f', 's3cret').catch((error: GatehouseError) => error)
  await dataSource.query('alter table secrets_away rename to secrets')
  assert.is((thrown as GatehouseError).code, 'GH_INTERNAL')
  assert.match((thrown as GatehouseError).detail ?? '', 'does not exist')
  const said = JSON.stringify(thrown, Object.getOwnPropertyNames(thrown)) + JSON.stringify((thrown as Error).cause)
  assert.not.match(said, 's3cret')
  await dataSource.destroy()
})

test.after(() => database.drop())
test.run()
