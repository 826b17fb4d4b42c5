import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createConsoleSessionRows } from '../db/repositories/console-sessions.js'
import { createNewcomerRows } from '../db/repositories/newcomers.js'
import { createPasswordRows } from '../db/repositories/passwords.js'
import { createStore } from '../db/repositories/store.js'
import { fakeVault, migratedDatabase, userDraft } from '../db/testing.js'
import { GatehouseError } from '../errors.js'
import { createConsoleSessions } from './console-sessions.js'
import { createHasher } from './password-hash.js'
import { createPasswords, LOCK } from './passwords.js'

const database = await migratedDatabase()
const { dataSource } = database
const store = createStore({ dataSource, vault: fakeVault })
const rows = createPasswordRows(dataSource.manager)
const passwords = createPasswords(rows, createHasher({ log2N: 8, r: 8, p: 1 }))
test.after(() => database.drop())

let count = 0
async function person(password = 'right') {
  const user = await store.users.insert(userDraft(`p${++count}@example.com`))
  await passwords.set(user.id, password)
  return user
}
const restOf = async (userId: string): Promise<{ failures: number; seconds: number | null }> => {
  const found: { failures: number; seconds: number | null }[] = await dataSource.query(
    `select failures, extract(epoch from locked_until - clock_timestamp())::float8 as seconds from passwords where user_id = $1`,
    [userId],
  )
  return found[0]!
}
const waitOut = (userId: string) =>
  dataSource.query('update passwords set locked_until = clock_timestamp() where user_id = $1', [userId])

test('the right password opens, in whatever case the address is, and forgets failures', async () => {
  const { id, email } = await person()
  assert.equal(await passwords.check(email, 'wrong'), {
    ok: false,
    reason: 'the password is wrong',
    disabled: false,
  })
  assert.is((await restOf(id)).failures, 1)
  assert.equal(await passwords.check(` ${email.toUpperCase()} `, 'right'), { ok: true, userId: id })
  assert.is((await restOf(id)).failures, 0)
})

test('the rest after the fifth failure doubles with each further one, up to its longest', async () => {
  const { id, email } = await person()
  for (let n = 0; n < LOCK.most; n += 1) {
    assert.is((await restOf(id)).seconds, null)
    await passwords.check(email, 'wrong')
  }
  for (const expected of [30, 60, 120, 240, 480, 900, 900]) {
    const { seconds } = await restOf(id)
    assert.ok(Math.abs((seconds ?? 0) - expected) < 5, `${seconds} s instead of ${expected}`)
    const resting = await passwords.check(email, 'right')
    assert.match(resting.ok ? '' : resting.reason, 'the account rests')
    await waitOut(id)
    await passwords.check(email, 'wrong')
  }
  await waitOut(id)
  assert.ok((await passwords.check(email, 'right')).ok)
})

test('of many guesses at once no more are looked at than in a row', async () => {
  const { email } = await person()
  const ends = await Promise.all(Array.from({ length: 20 }, () => passwords.check(email, 'wrong')))
  assert.is(ends.filter((end) => !end.ok && end.reason === 'the password is wrong').length, LOCK.most)
})

test('nobody, somebody without a password and somebody disabled are told apart in the log alone', async () => {
  const bare = await store.users.insert(userDraft('bare@example.com'))
  const reason = async (email: string, password: string) => {
    const checked = await passwords.check(email, password)
    return checked.ok ? 'let in' : `${checked.reason} ${checked.disabled}`
  }
  assert.is(await reason('nobody@example.com', 'x'), 'no person has this address false')
  assert.is(await reason(bare.email, 'x'), 'the person has no password false')
  const { id, email } = await person()
  await store.users.update(id, { enabled: false })
  assert.is(await reason(email, 'wrong'), 'the password is wrong false')
  assert.is(await reason(email, 'right'), 'the person is disabled true')
})

test('a hash of yesterday’s cost is made anew at sign-in, and not over a newer password', async () => {
  const { id, email } = await person()
  const dearer = createPasswords(rows, createHasher({ log2N: 9, r: 8, p: 1 }))
  const before = (await rows.of(id)) ?? ''
  assert.ok((await dearer.check(email, 'right')).ok)
  assert.match((await rows.of(id)) ?? '', 'scrypt$9$8$1$')
  assert.not.ok(await rows.set(id, 'another', before))
})

test('a session that was begun while its provider was disabled or removed opens nothing', async () => {
  const sessions = createConsoleSessions(createConsoleSessionRows(dataSource.manager))
  const { id } = await person()
  const idp = await store.idps.insert({
    ...{
      slug: 'acme',
      title: 'Acme',
      plugin: 'idp-oidc',
      config: {},
      secrets: [],
      domains: [],
      role: null,
      groups: {},
    },
    ...{ button: true, required: false, breakGlass: [], trustDomainVerifiedEmail: false, trustAssertions: false },
    ...{ enabled: false, managedBy: 'api' },
  })
  const rests = { idpId: idp.id, issuer: 'https://id.example.com', subject: 's', session: null }
  const secret = await sessions.open(id, { method: 'sso', idp: rests })
  assert.is(await sessions.of(secret), null)
  await store.idps.update(idp.id, { enabled: true })
  assert.is((await sessions.of(secret))?.user.id, id)
  await store.idps.remove(idp.id)
  assert.is(await sessions.of(secret), null)
})

test('neither a disabled person nor the command line is signed in, whatever they prove', async () => {
  const sessions = createConsoleSessions(createConsoleSessionRows(dataSource.manager))
  const newcomers = createNewcomerRows(dataSource.manager)
  const off = await store.users.insert({ ...userDraft('off@example.com'), enabled: false, role: 'super-admin' })
  const operator = await store.users.insert({ ...userDraft('operator@localhost'), role: 'super-admin' })
  for (const { id } of [off, operator]) {
    const thrown: unknown = await sessions.open(id, { method: 'sso' }).catch((error: unknown) => error)
    assert.is(thrown instanceof GatehouseError && thrown.code, 'GH_PAGE_DISABLED')
  }
  const hasCome = () => newcomers.hasComeAs('super-admin', 'operator@localhost')
  assert.not.ok(await hasCome())
  await store.users.update(off.id, { enabled: true })
  const secret = await sessions.open(off.id, { method: 'password' })
  assert.ok(await hasCome())
  await sessions.end(secret)
  assert.ok(await hasCome())
})

test.run()
