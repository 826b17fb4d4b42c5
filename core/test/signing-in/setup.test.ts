import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gatehouse } from '../configuration/command.js'
import { testDatabase } from '../database.js'
import { startGateway } from '../gateway.js'
import { openBrowser, PASSWORD, refusalsAt, signedInBrowser } from '../people.js'

const LINK = /\/auth\/setup\/[\w-]{43}/
const database = await testDatabase()
const home = await mkdtemp(join(tmpdir(), 'gh-setup-'))
const start = () => startGateway({ databaseUrl: database.url, home })
let gateway = await start()
test.after(async () => {
  await gateway.stop()
  await rm(home, { recursive: true, force: true })
  await database.drop()
})

const linkOf = (text: string): string => LINK.exec(text)?.[0] ?? ''
const ADA = { email: 'Ada@Example.com', name: 'Ada & Co', password: PASSWORD, again: PASSWORD }

test('the first start prints a link, which makes the first super admin once', async () => {
  const link = linkOf(gateway.banner)
  assert.is.not(link, '')
  const browser = openBrowser(gateway.url)
  for (const [fields, problem] of [
    [{ ...ADA, email: 'nobody' }, 'no e-mail address'],
    [{ ...ADA, email: 'operator@localhost' }, 'belongs to the command line'],
    [{ ...ADA, name: ' ' }, 'give your name'],
    [{ ...ADA, password: 'short', again: 'short' }, 'at least 12'],
    [{ ...ADA, again: 'another one' }, 'differ'],
  ] as const) {
    const refused = await browser.submit(link, fields)
    assert.is(refused.status, 400)
    assert.match(refused.text, problem)
  }
  const { path, text } = await browser.submit(link, ADA)
  assert.is(path, '/auth/account?done=welcome')
  assert.match(text, 'Ada &amp; Co')
  const { role, managedBy } = await gateway.api('GET', '/users/ada@example.com')
  assert.equal([role, managedBy], ['super-admin', 'api'])

  const late = await openBrowser(gateway.url).get(link)
  assert.is(late.status, 410)
  assert.match(late.text, 'setup-link')
  await refusalsAt(gateway, 'auth/setup', ['the set-up link is unknown, spent or expired'])
  const again = openBrowser(gateway.url)
  assert.is((await again.submit('/auth/signin', ADA)).path, '/auth/account')
})

test('the next start prints none', async () => {
  await gateway.stop()
  gateway = await start()
  assert.is(linkOf(gateway.banner), '')
})

test('the command line makes a new one, which ends the one before', async () => {
  const [first, second] = [await gatehouse(gateway, ['setup-link']), await gatehouse(gateway, ['setup-link', '--json'])]
  assert.is(first.code, 0, first.err)
  const link = linkOf((JSON.parse(second.out) as { url: string }).url)
  assert.is((await openBrowser(gateway.url).get(linkOf(first.out))).status, 410)
  assert.is((await openBrowser(gateway.url).get(link)).status, 200)
  assert.not.match(gateway.logs(), link.slice(-43))
})

test('of two who use one link at once, one comes in', async () => {
  const link = linkOf((await gatehouse(gateway, ['setup-link'])).out)
  const come = async (name: string) =>
    openBrowser(gateway.url).submit(link, { ...ADA, name, email: `${name}@example.com` })
  const ends = await Promise.all(['one', 'two', 'three'].map(come))
  assert.equal(ends.map(({ status }) => status).toSorted(), [200, 410, 410])
})

test('what was made in an account before does not rise with it', async () => {
  const planted = await signedInBrowser(gateway, 'risen@example.com')
  const ask = (method: string, path: string, headers: Record<string, string>, body?: object) =>
    fetch(`${gateway.url}/api/v1${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const asPage = { cookie: planted.cookies(), 'content-type': 'application/json', origin: gateway.url }
  const made = await ask('POST', '/tokens', asPage, { kind: 'admin', label: 'planted' })
  const { secret } = (await made.json()) as { secret: string }
  const whoami = async () => (await ask('GET', '/whoami', { authorization: `Bearer ${secret}` })).status
  assert.is(await whoami(), 200)
  const link = linkOf((await gatehouse(gateway, ['setup-link'])).out)
  const password = 'another good one'
  const risen = { ...ADA, email: 'risen@example.com', password, again: password }
  assert.is((await openBrowser(gateway.url).submit(link, risen)).path, '/auth/account?done=welcome')
  assert.is(await whoami(), 401)
  assert.match((await planted.get('/auth/account')).path, '/auth/signin')
})

test('somebody whom only a file may promote does not use the link up', async () => {
  await gateway.api('POST', '/apply', { text: 'version: 1\nusers: { filed@example.com: {} }\n' })
  const link = linkOf((await gatehouse(gateway, ['setup-link'])).out)
  const browser = openBrowser(gateway.url)
  const refused = await browser.submit(link, { ...ADA, email: 'filed@example.com' })
  assert.equal([refused.status, /file says who/.test(refused.text)], [400, true])
  assert.is((await browser.submit(link, { ...ADA, email: 'eve@example.com' })).path, '/auth/account?done=welcome')
})

test.run()
