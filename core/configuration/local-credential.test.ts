import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Store } from '../domain/store.js'
import { hashSecret } from '../identity/tokens.js'
import { createMemoryStore } from '../test/memory-store.js'
import { ensureOperator, leaveCredential } from './local-credential.js'

const URL = 'http://127.0.0.1:4000'
const test = suite<{ home: string; store: Store }>('local credential')
test.before.each(async (context) => {
  context.home = await mkdtemp(join(tmpdir(), 'gh-cli-'))
  context.store = createMemoryStore()
})
test.after.each(({ home }) => rm(home, { recursive: true }))

const left = async (home: string) =>
  JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as { readonly url: string; readonly token: string }

test('the operator is made once', async ({ store }) => {
  const first = await ensureOperator(store)
  assert.equal([first.email, first.role, first.enabled], ['operator@localhost', 'super-admin', true])
  assert.is((await ensureOperator(store)).id, first.id)
})

test('an operator whom somebody disabled stays so', async ({ store, home }) => {
  const { id } = await ensureOperator(store)
  await store.users.update(id, { enabled: false })
  await leaveCredential(store, home, URL, 'here')
  assert.is((await ensureOperator(store)).enabled, false)
})

test('the credential is readable to its owner alone, whatever lay there before', async ({ store, home }) => {
  await writeFile(join(home, 'cli.json'), '{}', { mode: 0o644 })
  await leaveCredential(store, home, URL, 'here')
  assert.is((await stat(join(home, 'cli.json'))).mode & 0o777, 0o600)
  assert.equal(await readdir(home), ['cli.json'], 'nothing is left beside it')
  const { url, token } = await left(home)
  assert.is(url, URL)
  assert.match(token, /^gpat_/)
  const stored = await store.tokens.byHash(hashSecret(token))
  assert.is(stored?.kind, 'admin')
  assert.not(JSON.stringify(stored).includes(token))
})

test('each start ends the credential of the one before it', async ({ store, home }) => {
  await leaveCredential(store, home, URL, 'here')
  const first = await left(home)
  await leaveCredential(store, home, URL, 'here')
  const second = await left(home)
  assert.is.not(first.token, second.token)
  assert.is(await store.tokens.byHash(hashSecret(first.token)), null)
  assert.ok(await store.tokens.byHash(hashSecret(second.token)))
})

test('another place keeps its own', async ({ store, home }) => {
  await leaveCredential(store, home, URL, 'here')
  const { token } = await left(home)
  await leaveCredential(store, home, URL, 'there')
  assert.ok(await store.tokens.byHash(hashSecret(token)))
})

test('a token that a person made is never taken away', async ({ store, home }) => {
  await leaveCredential(store, home, URL, 'here')
  const [own] = await store.tokens.all()
  assert.ok(own)
  const { id: _, createdAt: _c, updatedAt: _u, ...draft } = own
  await store.tokens.insert({ ...draft, hash: hashSecret('gpat_mine'), managedBy: 'api' } as never)
  await leaveCredential(store, home, URL, 'here')
  assert.ok(await store.tokens.byHash(hashSecret('gpat_mine')))
})

test('a change of tokens is told to every replica', async ({ store, home }) => {
  const before = await store.epoch()
  await leaveCredential(store, home, URL, 'here')
  assert.ok((await store.epoch()) > before)
})

test.run()
