import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createOneTimeRows } from '../db/repositories/one-time.js'
import { createStore } from '../db/repositories/store.js'
import { fakeVault, migratedDatabase } from '../db/testing.js'
import { createSubjectTokens } from './subject-tokens.js'

const database = await migratedDatabase()
test.after(() => database.drop())
const store = createStore({ dataSource: database.dataSource, vault: fakeVault })
const tokens = createSubjectTokens(createOneTimeRows(database.dataSource.manager, fakeVault))
const user = (email: string) =>
  store.users.insert({ email, name: '', role: 'member', enabled: true, managedBy: 'api' }).then(({ id }) => id)
const token = (idToken: string, ms = 60_000) => ({
  ...{ idToken, issuer: 'https://id.example.com', idpId: '1', expiresAt: Date.now() + ms },
})

test('a person has the token of the last sign-in, as often as it is asked for', async () => {
  const id = await user('a@example.com')
  assert.is(await tokens.of(id), null)
  await tokens.keep(id, token('one'))
  await tokens.keep(id, token('two'))
  for (let n = 0; n < 2; n++) assert.is((await tokens.of(id))?.idToken, 'two')
  await tokens.forget(id)
  assert.is(await tokens.of(id), null)
})

test('one that has run out is not kept, and goes with its person', async () => {
  const id = await user('b@example.com')
  await tokens.keep(id, token('late', -1))
  assert.is(await tokens.of(id), null)
  await tokens.keep(id, token('one'))
  await store.users.remove(id)
  assert.is(await tokens.of(id), null)
})

test.run()
