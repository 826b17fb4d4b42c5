import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createAuthPages } from '../../http/pages/auth/index.js'
import type { AuthOptions } from '../../http/pages/auth/options.js'
import { startGateway } from '../gateway.js'
import { givePassword, openBrowser, PASSWORD, refusalsAt, signedInBrowser } from '../people.js'

const gateway = await startGateway()
test.after(() => gateway.stop())

interface Routes {
  readonly router: { readonly stack: readonly { readonly methods: readonly string[]; readonly path: string }[] }
}
/** Every form that a page under /auth takes. */
const { router } = createAuthPages({ codes: {} } as AuthOptions) as unknown as Routes
const FORMS = router.stack
  .filter(({ methods }) => methods.includes('POST'))
  .map(({ path }) => path.replace(':secret', 'x'.repeat(43)))
assert.ok(FORMS.length >= 10)
const formOf = (text: string) => /name="_form" value="([^"]+)"/.exec(text)?.[1] ?? ''
const other = { 'sec-fetch-site': 'cross-site' }

const ada = await signedInBrowser(gateway, 'ada@example.com')

for (const path of FORMS.filter((one) => one !== '/auth/code'))
  test(`${path} takes no form that was not shown in this browser`, async () => {
    const browser = ada
    const own = formOf((await browser.get('/auth/account')).text)
    const stranger = formOf((await openBrowser(gateway.url).get('/auth/signin')).text)
    for (const [form, headers] of [
      ['', {}],
      [stranger, {}],
      [own, other],
      [own, { origin: 'https://evil.example' }],
      [own, { 'content-type': 'application/json' }],
    ] as const) {
      const { status, text } = await browser.post(path, { _form: form, session: '', way: 'remove' }, headers)
      assert.ok([403, 415].includes(status), `${path} answers ${status}`)
      assert.match(text, 'That did not work')
    }
    assert.is((await browser.get('/auth/account')).path, '/auth/account')
  })

test('a refused form is on record with its reason', async () => {
  await refusalsAt(gateway, 'auth/signin', ['it came from another site', 'its token is not ours'])
})

test('a session that somebody planted is not the one that is signed in', async () => {
  await gateway.api('POST', '/users', { email: 'fix@example.com' })
  await givePassword(gateway, 'fix@example.com')
  const planted = 'A'.repeat(43)
  const browser = openBrowser(gateway.url)
  browser.setCookie('gh_session', planted)
  await browser.submit('/auth/signin', { email: 'fix@example.com', password: PASSWORD })
  const first = browser.cookie('gh_session')
  assert.is.not(first, planted)
  const thief = openBrowser(gateway.url)
  thief.setCookie('gh_session', planted)
  assert.match((await thief.get('/auth/account')).path, '/auth/signin')
  // Signing in once more gives the session another name, and the old one ends.
  const form = formOf((await browser.get('/auth/account')).text)
  await browser.post('/auth/signin', { _form: form, email: 'fix@example.com', password: PASSWORD })
  assert.is.not(browser.cookie('gh_session'), first)
  thief.setCookie('gh_session', first ?? '')
  assert.match((await thief.get('/auth/account')).path, '/auth/signin')
})

test('nobody is sent elsewhere after signing in', async () => {
  await gateway.api('POST', '/users', { email: 'away@example.com' })
  await givePassword(gateway, 'away@example.com')
  for (const to of ['https://evil.example/', '//evil.example', '/\\evil.example', '/mcp', 'javascript:alert(1)']) {
    const browser = openBrowser(gateway.url)
    const page = await browser.submit(`/auth/signin?to=${encodeURIComponent(to)}`, {
      email: 'away@example.com',
      password: PASSWORD,
    })
    assert.equal([page.path, page.location], ['/auth/account', null], to)
    const forged = openBrowser(gateway.url)
    const form = formOf((await forged.get('/auth/signin')).text)
    const fields = { _form: form, to, email: 'away@example.com', password: PASSWORD }
    assert.is((await forged.post('/auth/signin', fields)).path, '/auth/account', to)
  }
})

test('a disabled person is out at once, at the pages and at the API, and in again when enabled', async () => {
  const browser = await signedInBrowser(gateway, 'off@example.com', { role: 'administrator' })
  const whoami = async () =>
    (await fetch(`${gateway.url}/api/v1/whoami`, { headers: { cookie: browser.cookies() } })).status
  assert.is(await whoami(), 200)
  await gateway.api('PATCH', '/users/off@example.com', { enabled: false })
  assert.is(await whoami(), 401)
  assert.match((await browser.get('/auth/account')).path, '/auth/signin')
  const refused = await openBrowser(gateway.url).submit('/auth/signin', {
    email: 'off@example.com',
    password: PASSWORD,
  })
  assert.equal([refused.status, /account is disabled/.test(refused.text)], [403, true])
  const wrong = await openBrowser(gateway.url).submit('/auth/signin', { email: 'off@example.com', password: 'wrong' })
  assert.equal([wrong.status, /disabled/.test(wrong.text)], [401, false])
  await refusalsAt(gateway, 'auth/signin', ['the person is disabled'])
  await gateway.api('PATCH', '/users/off@example.com', { enabled: true })
  assert.is(await whoami(), 200)
  await gateway.api('DELETE', '/users/off@example.com')
  assert.is(await whoami(), 401)
})

test('after five failures an account rests, for whoever knows the password too, and answers as if unknown', async () => {
  const browser = await signedInBrowser(gateway, 'tired@example.com')
  const form = formOf((await browser.get('/auth/account')).text)
  const attempt = (email: string, password: string) => browser.post('/auth/signin', { _form: form, email, password })
  const wrong = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => attempt('tired@example.com', `wrong ${n}`)))
  const right = await attempt('tired@example.com', PASSWORD)
  const unknown = await attempt('unknown@example.com', 'wrong')
  for (const { status } of [...wrong, right, unknown]) assert.is(status, 401)
  const plain = (text: string) => text.replace(/value="[^"]*"/g, '')
  assert.is(plain(right.text), plain(unknown.text))
  const rests = 'too many tries have failed; the account rests'
  const reasons = await refusalsAt(gateway, 'auth/signin', [rests, 'no person has this address'])
  // Eight at once: five were looked at, and not one more.
  assert.is(reasons.filter((reason) => reason === rests).length, 8 - 5 + 1)
  for (const secret of ['wrong 1', PASSWORD]) assert.not.match(reasons.join() + gateway.logs(), secret)
})

test('a new password needs the old one and ends all other sessions', async () => {
  const browser = await signedInBrowser(gateway, 'change@example.com')
  const elsewhere = await signedInBrowser(gateway, 'change@example.com')
  const password = 'quite another password'
  const set = (fields: Record<string, string>) =>
    browser.submit('/auth/account', { password, again: password, ...fields }, '/auth/account/password')
  assert.match((await set({ old: 'wrong' })).text, 'old password is not right')
  assert.match((await set({ old: PASSWORD, again: 'x' })).text, 'differ')
  assert.is((await elsewhere.get('/auth/account')).path, '/auth/account')
  assert.is((await set({ old: PASSWORD })).path, '/auth/account?done=password')
  assert.match((await elsewhere.get('/auth/account')).path, '/auth/signin')
  assert.is((await browser.get('/auth/account')).path, '/auth/account')
})

test('a person ends their own sessions, and an administrator those of another', async () => {
  const browser = await signedInBrowser(gateway, 'many@example.com')
  const second = await signedInBrowser(gateway, 'many@example.com')
  const stranger = await signedInBrowser(gateway, 'stranger@example.com')
  const page = await browser.get('/auth/account')
  const [, hash = ''] = [...page.text.matchAll(/name="session" value="([0-9a-f]{64})"/g)].at(-1) ?? []
  const strangersForm = formOf((await stranger.get('/auth/account')).text)
  await stranger.post('/auth/account/sessions', { _form: strangersForm, session: hash })
  assert.is((await second.get('/auth/account')).path, '/auth/account')
  await browser.post('/auth/account/sessions', { _form: formOf(page.text), session: hash })
  assert.match((await second.get('/auth/account')).path, '/auth/signin')
  assert.equal(await gateway.api('POST', '/users/many@example.com/sign-out'), { ended: 1 })
  assert.match((await browser.get('/auth/account')).path, '/auth/signin')
})

test('the session of the console is the caller of the admin API; changes come from our own pages alone', async () => {
  const browser = await signedInBrowser(gateway, 'console@example.com', { role: 'administrator' })
  const ask = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    fetch(`${gateway.url}/api/v1${path}`, {
      method,
      headers: { cookie: browser.cookies(), ...headers },
      ...(body === undefined ? {} : { body }),
    })
  const json = { 'content-type': 'application/json' }
  assert.is(((await (await ask('GET', '/whoami', {})).json()) as { role: string }).role, 'administrator')
  const team = '{"slug":"made"}'
  for (const headers of [
    json,
    { ...json, origin: 'https://evil.example' },
    { ...json, 'sec-fetch-site': 'same-site', origin: gateway.url },
    { ...json, 'sec-fetch-site': 'cross-site' },
    { 'content-type': 'text/plain', origin: gateway.url },
    { 'content-type': 'application/x-www-form-urlencoded', origin: gateway.url },
  ])
    assert.is((await ask('POST', '/teams', headers, team)).status, 403, JSON.stringify(headers))
  assert.is((await ask('DELETE', '/teams/made', { origin: 'https://evil.example' })).status, 403)
  assert.is((await ask('POST', '/teams', { ...json, origin: gateway.url }, team)).status, 201)
  assert.is((await ask('DELETE', '/teams/made', { ...json, 'sec-fetch-site': 'same-origin' })).status, 204)
  await refusalsAt(gateway, 'api/v1', ['it came from another site', 'its content type is not application/json'])
  // A token that is wrong is not made good by a cookie.
  const wrong = `gpat_${'x'.repeat(43)}`
  assert.is((await ask('GET', '/whoami', { authorization: `Bearer ${wrong}` })).status, 401)
  const reasons = await refusalsAt(gateway, 'api/v1', ['no such token'])
  assert.not.match(reasons.join() + gateway.logs(), wrong)
})

test('a member sees nothing of the API but themselves', async () => {
  const browser = await signedInBrowser(gateway, 'member@example.com')
  const status = async (path: string) =>
    (await fetch(`${gateway.url}/api/v1${path}`, { headers: { cookie: browser.cookies() } })).status
  assert.equal([await status('/whoami'), await status('/users'), await status('/roles')], [200, 403, 403])
})

test.run()
