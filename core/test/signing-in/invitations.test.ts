import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startGateway } from '../gateway.js'
import { openBrowser, PASSWORD, refusalsAt, signedInBrowser, type TestBrowser } from '../people.js'

const gateway = await startGateway()
test.after(() => gateway.stop())

interface Sent {
  readonly id: string
  readonly email: string
  readonly url: string
  readonly mailed: boolean
}
const invite = async (...emails: string[]): Promise<Sent[]> =>
  (await gateway.api('POST', '/invitations', { emails })).items as Sent[]
const pathOf = ({ url }: Sent) => new URL(url).pathname
const pending = async () =>
  ((await gateway.api('GET', '/invitations')).items as { email: string; invitedBy: string }[]).map(({ email }) => email)
const NEW = { name: '<script>alert(1)</script>', password: PASSWORD, again: PASSWORD }

/** The admin API as the console would use it. */
async function ask(browser: TestBrowser, method: string, path: string, body?: unknown) {
  const response = await fetch(`${gateway.url}/api/v1${path}`, {
    method,
    headers: { cookie: browser.cookies(), 'content-type': 'application/json', origin: gateway.url },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

test('an invited person sets up an account by the link, with role and teams', async () => {
  await gateway.api('POST', '/teams', { slug: 'crew' })
  const made = await gateway.api('POST', '/invitations', {
    emails: ['Ada@example.com', 'bob@example.com'],
    role: 'administrator',
    teams: ['crew'],
  })
  const [ada] = made.items as Sent[]
  assert.equal([ada?.email, ada?.mailed], ['ada@example.com', false])
  assert.equal((await pending()).toSorted(), ['ada@example.com', 'bob@example.com'])
  assert.equal((await gateway.api('GET', '/teams/crew')).members, ['ada@example.com', 'bob@example.com'])

  const browser = openBrowser(gateway.url)
  const short = await browser.submit(pathOf(ada!), { ...NEW, password: 'short', again: 'short' })
  assert.is(short.status, 400)
  assert.not.match(short.text, '<script>alert')
  const joined = await browser.submit(pathOf(ada!), NEW)
  assert.is(joined.path, '/auth/account?done=welcome')
  assert.not.match(joined.text, '<script>alert')
  assert.match(joined.text, '&lt;script&gt;')
  assert.equal(await pending(), ['bob@example.com'])
  assert.is((await openBrowser(gateway.url).get(pathOf(ada!))).status, 410)
  await refusalsAt(gateway, 'auth/invite', ['the invitation is unknown, spent or expired'])
  assert.is((await openBrowser(gateway.url).submit('/auth/signin', { email: ada!.email, ...NEW })).status, 200)
})

test('of many who use one link at once, one joins', async () => {
  const [sent] = await invite('race@example.com')
  const browsers = [1, 2, 3, 4].map(() => openBrowser(gateway.url))
  const ends = await Promise.all(browsers.map((browser) => browser.submit(pathOf(sent!), NEW)))
  assert.equal(ends.map(({ status }) => status).toSorted(), [200, 410, 410, 410])
})

test('a link ends when another is sent, when it is taken back, and for a disabled person', async () => {
  const [first] = await invite('late@example.com')
  const second = (await gateway.api('POST', '/invitations/late@example.com/resend')) as unknown as Sent
  const look = async (sent: Sent) => (await openBrowser(gateway.url).get(pathOf(sent))).status
  assert.equal([await look(first!), await look(second)], [410, 200])
  await gateway.api('PATCH', '/users/late@example.com', { enabled: false })
  assert.is(await look(second), 403)
  await gateway.api('PATCH', '/users/late@example.com', { enabled: true })
  await gateway.api('DELETE', '/invitations/late@example.com')
  assert.is(await look(second), 410)
  await gateway.api('GET', '/users/late@example.com').then(
    () => assert.unreachable('they are still there'),
    (error: Error) => assert.match(error.message, '404'),
  )
})

test('a link ends when its person comes another way: whoever has copied it must not come after them', async () => {
  const [sent] = await invite('sso@example.com')
  await signedInBrowser(gateway, 'sso@example.com')
  assert.is((await openBrowser(gateway.url).get(pathOf(sent!))).status, 410)
})

test('a link that was copied does not rise with its person', async () => {
  const [sent] = await invite('riser@example.com')
  const browser = openBrowser(gateway.url)
  assert.is((await browser.get(pathOf(sent!))).status, 200)
  await gateway.api('PATCH', '/users/riser@example.com', { role: 'super-admin' })
  assert.is((await browser.get(pathOf(sent!))).status, 410)
  const again = (await gateway.api('POST', '/invitations/riser@example.com/resend')) as unknown as Sent
  assert.is((await browser.get(pathOf(again))).status, 200)
})

test('whoever has an account is not invited anew, which would be a way into it', async () => {
  await signedInBrowser(gateway, 'here@example.com')
  await invite('here@example.com').then(
    () => assert.unreachable('they were'),
    (error: Error) => assert.match(error.message, 'has an account already'),
  )
  await invite('operator@localhost').then(
    () => assert.unreachable('it was'),
    (error: Error) => assert.match(error.message, 'belongs to the command line'),
  )
})

test('a super admin opens a lost account for its person, whose sessions, old password and passkeys end', async () => {
  const browser = await signedInBrowser(gateway, 'lost@example.com')
  const database = new Client({ connectionString: gateway.databaseUrl! })
  await database.connect()
  await database.query(`insert into passkeys (id, user_id, name, public_key, counter, transports)
    select 'planted', id, 'Planted', '\\x00', 0, '{}' from users where email = 'lost@example.com'`)
  const sent = (await gateway.api('POST', '/users/lost@example.com/recovery')) as unknown as Sent
  assert.ok((await pending()).includes('lost@example.com'))
  const password = 'found it again'
  const back = await openBrowser(gateway.url).submit(pathOf(sent), { ...NEW, password, again: password })
  assert.is(back.path, '/auth/account?done=welcome')
  assert.match((await browser.get('/auth/account')).path, '/auth/signin')
  assert.not.ok((await pending()).includes('lost@example.com'))
  const old = await openBrowser(gateway.url).submit('/auth/signin', { email: 'lost@example.com', password: PASSWORD })
  assert.is(old.status, 401)
  assert.is((await database.query(`select from passkeys where id = 'planted'`)).rowCount, 0)
  await database.end()
  await gateway.api('POST', '/users/lost@example.com/recovery')
  await gateway.api('DELETE', '/invitations/lost@example.com')
  assert.is((await gateway.api('GET', '/users/lost@example.com')).enabled, true)
})

test('people whom the file made are invited, and keep their role and the name they give themselves', async () => {
  const text = 'version: 1\nusers: { filed@example.com: { role: administrator } }\n'
  await gateway.api('POST', '/apply', { text })
  const [sent] = await invite('filed@example.com')
  await openBrowser(gateway.url).submit(pathOf(sent!), NEW)
  assert.equal((await gateway.api('POST', '/plan', { text })).steps, [])
  const { role, name, managedBy } = await gateway.api('GET', '/users/filed@example.com')
  assert.equal([role, name, managedBy], ['administrator', NEW.name, 'file'])
})

test('nobody invites into a role that holds more than they do, by no way', async () => {
  await gateway.api('POST', '/roles', { slug: 'inviter', capabilities: ['managePeople'] })
  const browser = await signedInBrowser(gateway, 'inviter@example.com', { role: 'inviter' })
  const more = await ask(browser, 'POST', '/invitations', { emails: ['x@example.com'], role: 'administrator' })
  assert.equal([more.status, /holds more than you/.test(more.text)], [403, true])
  assert.not.ok((await pending()).includes('x@example.com'))
  const [boss] = (await gateway.api('POST', '/invitations', { emails: ['boss@example.com'], role: 'administrator' }))
    .items as Sent[]
  for (const [method, path] of [
    ['POST', '/invitations/boss@example.com/resend'],
    ['DELETE', '/invitations/boss@example.com'],
  ] as const)
    assert.is((await ask(browser, method, path)).status, 403)
  assert.is((await openBrowser(gateway.url).get(pathOf(boss!))).status, 200)
  const fine = await ask(browser, 'POST', '/invitations', { emails: ['y@example.com'], role: 'inviter' })
  assert.is(fine.status, 201)
  assert.is((await ask(browser, 'POST', '/setup-links')).status, 403)
})

test.run()
