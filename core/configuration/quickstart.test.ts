import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Store } from '../domain/store.js'
import { hashSecret } from '../identity/tokens.js'
import { createMemoryStore } from '../test/memory-store.js'
import { readQuickstart, seedQuickstart } from './quickstart.js'

const DOCS = 'http://127.0.0.1:4000/docs/mcp'
const test = suite<{ home: string; store: Store }>('quickstart')
test.before.each(async (context) => {
  context.home = await mkdtemp(join(tmpdir(), 'gh-quick-'))
  context.store = createMemoryStore()
})
test.after.each(({ home }) => rm(home, { recursive: true }))
const read = ({ store, home }: { store: Store; home: string }) => readQuickstart(store, home, hashSecret)

test('an empty gateway gets the documentation behind a gateway of its own, and a token for it', async (context) => {
  const { store, home } = context
  await seedQuickstart(store, { home, docsUrl: DOCS })
  const quickstart = await read(context)
  assert.is(quickstart?.gateway, 'quickstart')
  assert.match(quickstart?.token ?? '', /^API_/)
  const [gateway] = await store.gateways.all()
  const [server] = await store.servers.all()
  assert.equal([gateway?.assignments.length, server?.url, server?.managedBy], [1, DOCS, 'system'])
  assert.is(await store.epoch(), 1)
})

test('the token lies in the home for its owner alone, and in the database not at all', async (context) => {
  const { store, home } = context
  await seedQuickstart(store, { home, docsUrl: DOCS })
  const { mode } = await stat(join(home, 'quickstart.json'))
  assert.is(mode & 0o777, 0o600)
  assert.equal(await readdir(home), ['quickstart.json'])
  const { token } = JSON.parse(await readFile(join(home, 'quickstart.json'), 'utf8')) as { token: string }
  const [stored] = await store.tokens.all()
  assert.not(JSON.stringify(stored).includes(token))
})

test('a second start makes nothing anew', async (context) => {
  const { store, home } = context
  await seedQuickstart(store, { home, docsUrl: DOCS })
  const first = await read(context)
  await seedQuickstart(store, { home, docsUrl: DOCS })
  assert.equal(await read(context), first)
  assert.equal([(await store.tokens.all()).length, await store.epoch()], [1, 1])
})

test('whoever has a gateway gets none of ours', async (context) => {
  const { store, home } = context
  await seedQuickstart(store, { home, docsUrl: DOCS })
  const [gateway] = await store.gateways.all()
  await store.gateways.update(gateway?.id ?? '', { slug: 'mine' })
  await seedQuickstart(store, { home, docsUrl: DOCS })
  assert.is((await store.gateways.all()).length, 1)
  assert.is(await read(context), null, 'and no banner for what is gone')
})

test('the documentation moves with its port, unless somebody else has taken it over', async ({ store, home }) => {
  await seedQuickstart(store, { home, docsUrl: DOCS })
  await seedQuickstart(store, { home, docsUrl: 'http://127.0.0.1:5000/docs/mcp' })
  const docs = async () => store.servers.byKey('docs')
  assert.is((await docs())?.url, 'http://127.0.0.1:5000/docs/mcp')
  await store.servers.update((await docs())?.id ?? '', { managedBy: 'api' } as never)
  await seedQuickstart(store, { home, docsUrl: DOCS })
  const taken = await docs()
  assert.equal([taken?.managedBy, taken?.url], ['api', 'http://127.0.0.1:5000/docs/mcp'])
})

test('a token that is revoked or disabled is not shown any more', async (context) => {
  const { store, home } = context
  await seedQuickstart(store, { home, docsUrl: DOCS })
  const [token] = await store.tokens.all()
  await store.tokens.update(token?.id ?? '', { enabled: false })
  assert.is(await read(context), null)
})

for (const text of ['', '{', '[]', 'null', '{"gateway":7}'])
  test(`a file that says ${JSON.stringify(text)} costs the banner, not the start`, async (context) => {
    await seedQuickstart(context.store, { home: context.home, docsUrl: DOCS })
    await writeFile(join(context.home, 'quickstart.json'), text)
    assert.is(await read(context), null)
  })

test('a database that refuses leaves no token that opens something', async (context) => {
  const { store, home } = context
  const broken: Store = { ...store, transaction: () => Promise.reject(new Error('away')) }
  await seedQuickstart(broken, { home, docsUrl: DOCS }).catch(() => undefined)
  assert.is(await read(context), null)
  await seedQuickstart(store, { home, docsUrl: DOCS })
  assert.ok(await read(context), 'the next start makes up for it')
})

test.run()
