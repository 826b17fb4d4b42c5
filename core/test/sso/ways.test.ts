import type { Browser } from 'playwright-core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hasChromium, openChromium } from '../chromium.js'
import { startGateway } from '../gateway.js'
import { givePassword, openBrowser, PASSWORD } from '../people.js'
import { until } from '../until.js'
import { startProvider } from './provider.js'
import { newWalker, signInThere } from './walk.js'

const inChromium = hasChromium ? test : test.skip
const chromium: Browser | null = hasChromium ? await openChromium() : null
const gateway = await startGateway({ yaml: 'version: 1\n' })
const provider = await startProvider({ gateway: gateway.url })
test.after(async () => {
  await chromium?.close()
  await Promise.all([gateway.stop(), provider.stop()])
})
const { issuer, people } = provider

const file = (more = '') => `
version: 1
roles: { auditor: { capabilities: [viewAndExportLogs] } }
teams: { engineering: {} }
idps:
  acme:
    plugin: idp-oidc
    title: Acme
    issuer: ${issuer}
    clientId: gateway
    domains: [example.com]
    role: auditor
    groups: { eng: engineering }
    breakGlass: [glass@example.com]
    ${more}
`
await gateway.configure(file())
// A secret would have to stand in an environment that is older than the provider.
await provider.asPublicClient()

for (const email of ['ada@example.com', 'glass@example.com', 'bob@else.example'])
  await gateway.api('POST', '/users', { email })
for (const email of ['ada@example.com', 'glass@example.com', 'bob@else.example']) await givePassword(gateway, email)
people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada', groups: ['eng'] })
people.set('new', { email: 'new@example.com', email_verified: true, name: 'New', groups: ['eng'] })

const tryPassword = async (email: string, password = PASSWORD) => {
  const browser = openBrowser(gateway.url)
  const shown = await browser.submit('/auth/signin?to=/auth/account', { email, password }, '/auth/signin')
  return { browser, shown }
}

test('the file makes a provider: its role, its teams, and no API changes it', async () => {
  const shown = await signInThere(newWalker(gateway, provider), '/auth/sso/start?idp=acme', 'new')
  assert.is(shown.path, '/auth/account', shown.text.slice(-400))
  assert.is((await gateway.api('GET', '/users/new@example.com'))['role'], 'auditor')
  assert.equal((await gateway.api('GET', '/teams/engineering'))['members'], ['new@example.com'])
  // Members that the file does not speak of are not the file's to take.
  await gateway.configure(file('button: true'))
  assert.equal((await gateway.api('GET', '/teams/engineering'))['members'], ['new@example.com'])
  const refused = await gateway.api('PATCH', '/idps/acme', { title: 'X' }).catch(String)
  assert.match(String(refused), 'managed by the file')
})

test('an address of its domain is led to the provider; a password of the gateway goes on until it may not', async () => {
  const { shown } = await tryPassword('ada@example.com', '')
  assert.match(shown.location ?? '', `${issuer}/auth?`)
  assert.match(shown.location ?? '', 'login_hint=ada%40example.com')
  assert.is((await tryPassword('ada@example.com')).shown.path, '/auth/account')
  assert.is((await tryPassword('bob@else.example')).shown.path, '/auth/account')
})

test('a required provider is the only way of its people, save for those behind the glass', async () => {
  await gateway.configure(file('required: true'))
  const { shown, browser } = await tryPassword('ada@example.com')
  assert.match(shown.location ?? '', `${issuer}/auth?`)
  assert.is(browser.cookie('gh_session'), undefined)
  assert.is((await tryPassword('glass@example.com')).shown.path, '/auth/account')
  assert.is((await tryPassword('bob@else.example')).shown.path, '/auth/account')
})

test('whoever was invited to a required provider comes in there, and by no form of ours', async () => {
  await gateway.configure(file())
  const made = await gateway.api('POST', '/invitations', { emails: ['ivy@example.com'] })
  const [, path = ''] = /"(?:https?:[^"]*)(\/auth\/invite\/[^"]+)"/.exec(JSON.stringify(made)) ?? []
  const browser = openBrowser(gateway.url)
  const form = await browser.get(path)
  assert.is(form.status, 200)
  await gateway.configure(file('required: true'))
  assert.match((await browser.get(path)).location ?? '', `${issuer}/auth?`)
  const [, _form = ''] = /name="_form" value="([^"]+)"/.exec(form.text) ?? []
  const sent = await browser.post(path, { _form, name: 'Ivy', password: PASSWORD, again: PASSWORD })
  assert.match(sent.location ?? '', `${issuer}/auth?`)
  assert.is(browser.cookie('gh_session'), undefined)
  await gateway.configure(file())
})

test('what two people of the domain try in the same second for the first time ends in one account', async () => {
  people.set('twin', { email: 'twin@example.com', email_verified: true })
  const walkers = Array.from({ length: 4 }, () => newWalker(gateway, provider))
  const shown = await Promise.all(walkers.map((walker) => signInThere(walker, '/auth/sso/start?idp=acme', 'twin')))
  for (const { path } of shown) assert.is(path, '/auth/account')
  const { items } = (await gateway.api('GET', '/users?limit=200')) as { items: { email: string }[] }
  assert.is(items.filter(({ email }) => email === 'twin@example.com').length, 1)
})

test('whom an AI client sends to sign in comes from the provider back to what the client asked', async () => {
  const redirect = 'http://127.0.0.1:9/callback'
  const registered = await fetch(`${gateway.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Probe', redirect_uris: [redirect], token_endpoint_auth_method: 'none' }),
  })
  const { client_id: clientId } = (await registered.json()) as { client_id: string }
  const query = new URLSearchParams({
    ...{ response_type: 'code', client_id: clientId, redirect_uri: redirect, state: 's' },
    ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
  })
  const walker = newWalker(gateway, provider)
  const asked = await walker.here.get(`/oauth/authorize?${query}`)
  assert.match(asked.path, /^\/auth\/signin\?to=%2Foauth%2Finteraction%2F/)
  const [, start = ''] = /href="(\/auth\/sso\/start[^"]+)"/.exec(asked.text) ?? []
  const shown = await signInThere(walker, start.replaceAll('&amp;', '&'), 'ada')
  assert.match(shown.path, /^\/oauth\/interaction\//, shown.text.slice(-500))
  assert.match(shown.text, 'Probe')
})

inChromium('a person signs in at the provider in a real browser, and is turned away with a way back', async () => {
  const context = await chromium!.newContext({ baseURL: gateway.url })
  const page = await context.newPage()
  const wanted = '/auth/account?from=here'
  await page.goto(`/auth/signin?to=${encodeURIComponent(wanted)}`)
  await page.click('text=Sign in with Acme')
  await page.waitForURL(`${issuer}/interaction/**`)
  await page.fill('[name=login]', 'nobody')
  await page.click('button')
  await page.waitForURL('**/auth/sso/callback?**')
  assert.match(await page.innerText('main'), 'Acme did not sign you in')
  await page.click('text=Back to the sign-in page')
  await page.fill('#email', 'ada@example.com')
  await page.click('button.main')
  await page.waitForURL(`${issuer}/interaction/**`)
  assert.is(await page.inputValue('[name=login]'), 'ada@example.com')
  await page.fill('[name=login]', 'ada')
  await page.click('button')
  await page.waitForURL(`**${wanted}`)
  assert.match(await page.innerText('main'), 'ada@example.com')
  await page.click('text=Sign out of your identity provider, too')
  await page.waitForURL(`${issuer}/session/end**`)
  await page.goto('/auth/account')
  await until('the sign-in page is shown', () => (page.url().includes('/auth/signin') ? true : undefined))
  await context.close()
})

test.run()
