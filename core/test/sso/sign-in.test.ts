import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startGateway } from '../gateway.js'
import { givePassword, openBrowser, PASSWORD } from '../people.js'
import { until } from '../until.js'
import { startProvider } from './provider.js'
import { goOut, newWalker, signInThere } from './walk.js'

const gateway = await startGateway()
const provider = await startProvider({ gateway: gateway.url })
const second = await startProvider({ gateway: gateway.url })
test.after(async () => void (await Promise.all([gateway.stop(), provider.stop(), second.stop()])))
const { people } = provider

const added = (slug: string, { issuer, clientId, clientSecret }: typeof provider, more: object) =>
  gateway.api('POST', '/idps', { slug, plugin: 'idp-oidc', issuer, clientId, clientSecret, ...more })

await gateway.api('POST', '/teams', { slug: 'engineering' })
await gateway.api('POST', '/teams', { slug: 'sales' })
await gateway.api('POST', '/teams', { slug: 'choir' })
await added('acme', provider, {
  title: 'Acme',
  domains: ['example.com'],
  groups: { eng: 'engineering', eng2: 'engineering', sell: 'sales' },
})
await added('other', second, { title: 'Other', domains: ['other.example'], button: false })

const START = '/auth/sso/start?idp=acme'
const from = () => newWalker(gateway, provider)

interface Row {
  readonly log_id: string
  readonly log_type: string
}

const refusals = async () => {
  const { items } = await gateway.api('GET', '/logs?method=auth/sso&limit=500')
  return (items as Row[]).filter(({ log_type: type }) => type === 'auth_refused')
}

/** Waits for a new refusal that says so. */
async function refusesFor(reason: RegExp, work: () => Promise<unknown>): Promise<void> {
  const known = new Set((await refusals()).map((row) => row.log_id))
  await work()
  const row = await until(`a refusal for ${String(reason)} is on record`, async () => {
    const fresh = (await refusals()).filter((one) => !known.has(one.log_id))
    return fresh.map((one) => JSON.stringify(one)).find((text) => reason.test(text))
  })
  for (const secret of [provider.clientSecret, second.clientSecret]) assert.not.match(row, secret)
}

/** Nobody came in, the page says why and what to do, and the refusal is on record. */
async function refuses(
  login: string,
  { says, reason }: { says: RegExp; reason: RegExp },
  { start = START, walker = from() } = {},
): Promise<void> {
  await refusesFor(reason, async () => {
    const shown = await signInThere(walker, start, login)
    assert.match(shown.text, says)
    assert.match(shown.text, '/auth/signin?to=')
    assert.is(walker.here.cookie('gh_session'), undefined)
  })
}

const teamsOf = async (email: string) => {
  const { items } = (await gateway.api('GET', '/teams')) as { items: { slug: string; members: string[] }[] }
  return items.filter(({ members }) => members.includes(email)).map(({ slug }) => slug)
}

test('who comes for the first time is made, with the default role and no more', async () => {
  people.set('ada', { email: 'Ada@example.com', email_verified: true, name: 'Ada', role: 'super-admin' })
  const shown = await signInThere(from(), `${START}&to=/auth/account?x=1`, 'ada')
  assert.equal([shown.status, shown.path], [200, '/auth/account?x=1'], shown.text.slice(-500))
  assert.match(shown.text, 'ada@example.com')
  const user = await gateway.api('GET', '/users/ada@example.com')
  assert.equal([user['role'], user['enabled'], user['name']], ['member', true, 'Ada'])
})

test('an address that is not verified, or of which nothing is said, is refused; trust holds for its own domains', async () => {
  people.set('una', { email: 'una@example.com', email_verified: false })
  const unverified = { says: /does not say that your e-mail address is verified/, reason: /not verified/ }
  await refuses('una', unverified)
  people.set('una', { email: 'una@example.com' })
  await refuses('una', unverified)
  await gateway.api('PATCH', '/idps/acme', { trustDomainVerifiedEmail: true })
  people.set('eve', { email: 'eve@elsewhere.example' })
  await refuses('eve', unverified)
  assert.is((await signInThere(from(), START, 'una')).path, '/auth/account')
  await gateway.api('PATCH', '/idps/acme', { trustDomainVerifiedEmail: false })
  // Also for who is known already.
  await refuses('una', unverified)
})

test('an address of another domain makes nobody, and takes over nobody', async () => {
  people.set('bob', { email: 'bob@other.example', email_verified: true })
  const foreign = { says: /does not speak for addresses of other\.example/, reason: /none of its domains/ }
  await refuses('bob', foreign)
  await gateway.api('POST', '/users', { email: 'bob@other.example' })
  await refuses('bob', foreign)
})

test('a second provider cannot take over the people of the first', async () => {
  second.people.set('mallory', { email: 'ada@example.com', email_verified: true })
  const walker = newWalker(gateway, second)
  const foreign = { says: /does not speak for addresses of example\.com/, reason: /none of its domains/ }
  await refuses('mallory', foreign, { start: '/auth/sso/start?idp=other', walker })
})

test('the tie is the subject: a changed address keeps the account, a used one opens nothing to another', async () => {
  people.set('ada', { email: 'ada.new@example.com', email_verified: true })
  assert.match((await signInThere(from(), START, 'ada')).text, 'ada@example.com')
  people.set('ada2', { email: 'ada@example.com', email_verified: true })
  await refuses('ada2', { says: /tied to another account of Acme/, reason: /another subject/ })
  await gateway.api('DELETE', '/idps/acme/people/ada@example.com')
  assert.match((await signInThere(from(), START, 'ada2')).text, 'ada@example.com')
})

test('an account that was there is tied by its address; a super admin only by its holder', async () => {
  await gateway.api('POST', '/users', { email: 'carl@example.com', role: 'administrator' })
  people.set('carl', { email: 'carl@example.com', email_verified: true })
  assert.match((await signInThere(from(), START, 'carl')).text, 'carl@example.com')
  assert.is((await gateway.api('GET', '/users/carl@example.com'))['role'], 'administrator')

  await gateway.api('POST', '/users', { email: 'root@example.com', role: 'super-admin' })
  people.set('root', { email: 'root@example.com', email_verified: true })
  await refuses('root', { says: /tied to Acme only by whoever holds it/, reason: /without its holder/ })
  await givePassword(gateway, 'root@example.com')
  // Somebody else who is signed in here is not asked either.
  const bob = from()
  await givePassword(gateway, 'bob@other.example')
  await bob.here.submit('/auth/signin', { email: 'bob@other.example', password: PASSWORD })
  assert.is((await signInThere(bob, START, 'root')).status, 403)
  const walker = from()
  await walker.here.submit('/auth/signin', { email: 'root@example.com', password: PASSWORD })
  const before = walker.here.cookie('gh_session')
  const asked = await signInThere(walker, START, 'root')
  assert.match(asked.text, 'Sign in with Acme from now on?')
  const [, link = ''] = /name="link" value="([^"]+)"/.exec(asked.text) ?? []
  const [, field = ''] = /name="_form" value="([^"]+)"/.exec(asked.text) ?? []
  assert.is((await walker.here.post('/auth/sso/link', { link })).status, 403)
  assert.is((await openBrowser(gateway.url).post('/auth/sso/link', { link, _form: field })).status, 403)
  const tied = await walker.here.post('/auth/sso/link', { link, _form: field })
  assert.is(tied.path, '/auth/account')
  assert.is.not(walker.here.cookie('gh_session'), before)
  assert.match((await signInThere(from(), START, 'root')).text, 'root@example.com')
})

test('a disabled person stays out, known or not', async () => {
  await gateway.api('PATCH', '/users/carl@example.com', { enabled: false })
  const disabled = { says: /This account is disabled/, reason: /the person is disabled/ }
  await refuses('carl', disabled)
  await gateway.api('POST', '/users', { email: 'dora@example.com', enabled: false })
  people.set('dora', { email: 'dora@example.com', email_verified: true })
  await refuses('dora', disabled)
})

test('groups give and take the teams that they are mapped to, and no others', async () => {
  const said = { email: 'gil@example.com', email_verified: true }
  people.set('gil', { ...said, groups: ['eng2', 'unknown', 'choir'] })
  await signInThere(from(), START, 'gil')
  assert.equal(await teamsOf('gil@example.com'), ['engineering'])
  await gateway.api('PATCH', '/teams/choir', { members: ['gil@example.com'] })
  people.set('gil', { ...said, groups: ['sell'] })
  await signInThere(from(), START, 'gil')
  assert.equal(await teamsOf('gil@example.com'), ['sales', 'choir'])
  // Too many groups to say is not none.
  people.set('gil', { ...said, _claim_names: { groups: 'src1' } })
  await signInThere(from(), START, 'gil')
  assert.equal(await teamsOf('gil@example.com'), ['sales', 'choir'])
  people.set('gil', said)
  await signInThere(from(), START, 'gil')
  assert.equal(await teamsOf('gil@example.com'), ['choir'])
})

test('the callback is good once, in the browser that began, and with what the provider sent', async () => {
  const walker = from()
  const back = await goOut(walker, `${START}&to=/auth/account?y`, 'gil')
  const path = back.pathname + back.search
  const other = openBrowser(gateway.url)
  await refusesFor(/of another browser/, async () => assert.is((await other.get(path)).status, 410))
  assert.is(other.cookie('gh_session'), undefined)
  assert.is((await walker.here.get(path)).path, '/auth/account?y')
  assert.is((await walker.here.get(path)).status, 410)

  for (const bend of [
    (url: URL) => url.searchParams.set('iss', 'https://evil.example'),
    (url: URL) => url.searchParams.delete('iss'),
    (url: URL) => url.searchParams.set('code', 'x'.repeat(43)),
    (url: URL) => url.searchParams.delete('code'),
  ]) {
    const fresh = from()
    const bent = await goOut(fresh, START, 'gil')
    bend(bent)
    assert.is((await fresh.here.get(bent.pathname + bent.search)).status, 403)
    assert.is(fresh.here.cookie('gh_session'), undefined)
  }
  const stateless = await goOut(from(), START, 'gil')
  stateless.searchParams.delete('state')
  assert.is((await from().here.get(stateless.pathname + stateless.search)).status, 410)
})

test('a code of one person does not go into the sign-in of another browser', async () => {
  const [victim, attacker] = [from(), from()]
  const mine = await goOut(attacker, START, 'gil')
  const theirs = await goOut(victim, START, 'ada2')
  theirs.searchParams.set('code', mine.searchParams.get('code') ?? '')
  assert.is((await victim.here.get(theirs.pathname + theirs.search)).status, 403)
})

test('it leads to our own pages only', async () => {
  for (const to of ['//evil.example/x', 'https://evil.example', '/\\evil.example', '/api/v1/users', 'javascript:1'])
    for (const name of ['to', 'target_link_uri'])
      assert.is((await signInThere(from(), `${START}&${name}=${encodeURIComponent(to)}`, 'gil')).path, '/auth/account')
  const target = encodeURIComponent(`${gateway.url}/auth/account?z`)
  assert.is((await signInThere(from(), `${START}&target_link_uri=${target}`, 'gil')).path, '/auth/account?z')
})

test('the tile of the provider leads in: by our address for it, by its issuer, and by a form', async () => {
  const iss = encodeURIComponent(provider.issuer)
  assert.is((await signInThere(from(), `/auth/sso/start?iss=${iss}&login_hint=gil`, 'gil')).path, '/auth/account')
  const walker = from()
  const out = await walker.here.post('/auth/sso/start', { iss: provider.issuer, login_hint: 'gil' })
  assert.match(out.location ?? '', `${provider.issuer}/auth?`)
  assert.match(out.location ?? '', 'login_hint=gil')
  assert.is((await walker.here.get(`${START}&iss=https://evil.example`)).status, 404)
  assert.is((await walker.here.get('/auth/sso/start?idp=nothing')).status, 404)
  assert.is((await walker.here.get('/auth/sso/start')).status, 404)
})

test('a provider that says no, keys that were changed there, and one that is gone', async () => {
  await refuses('nobody', { says: /Acme did not sign you in/, reason: /access_denied/ })
  await provider.rotate()
  assert.is((await signInThere(from(), START, 'gil')).path, '/auth/account')
})

test('a provider that is away says so, and local sign-in goes on', async () => {
  const walker = from()
  const back = await goOut(walker, START, 'gil')
  await provider.away()
  // What it says of itself was read; so it is the way back that fails.
  const late = await walker.here.get(back.pathname + back.search)
  assert.equal([late.status, /cannot be reached just now/.test(late.text)], [503, true], late.text.slice(-500))
  await gateway.api('PATCH', '/idps/acme', { scopes: ['openid', 'email', 'profile'] })
  const shown = await from().here.get(START)
  assert.equal([shown.status, /cannot be reached just now/.test(shown.text)], [503, true])
  const told = await gateway.api('POST', '/idps/acme/test')
  assert.equal([told['ok'], told['failure']], [false, 'unavailable'])
  const local = openBrowser(gateway.url)
  const signedIn = await local.submit('/auth/signin', { email: 'root@example.com', password: PASSWORD })
  assert.is(signedIn.path, '/auth/account')
  await provider.back()
  assert.is((await signInThere(from(), START, 'gil')).path, '/auth/account')
})

test('without its provider nobody comes in, and who came that way is out', async () => {
  const walker = from()
  const begun = from()
  const back = await goOut(begun, START, 'gil')
  await signInThere(walker, START, 'gil')
  await gateway.api('PATCH', '/idps/acme', { enabled: false })
  assert.match((await walker.here.get('/auth/account')).path, '/auth/signin')
  assert.is((await begun.here.get(back.pathname + back.search)).status, 404)
  await gateway.api('PATCH', '/idps/acme', { enabled: true })
  await signInThere(walker, START, 'gil')
  await gateway.api('DELETE', '/idps/acme')
  assert.match((await walker.here.get('/auth/account')).path, '/auth/signin')
  assert.is((await from().here.get(START)).status, 404)
  assert.is((await gateway.api('GET', '/users/gil@example.com'))['enabled'], true)
})

test.run()
