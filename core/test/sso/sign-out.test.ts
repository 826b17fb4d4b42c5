import { randomBytes } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openBrowser } from '../people.js'
import { startCluster } from '../replicas/cluster.js'
import { until } from '../until.js'
import { startProvider } from './provider.js'
import { newWalker, signInThere } from './walk.js'

const cluster = await startCluster({ count: 2 })
const [one, two] = [cluster.gateways[0]!, cluster.gateways[1]!]
const provider = await startProvider({ gateway: one.url })
test.after(async () => void (await Promise.all([cluster.stop(), provider.stop()])))
const { issuer, clientId, clientSecret, people } = provider

await one.api('POST', '/idps', {
  ...{ slug: 'acme', title: 'Acme', plugin: 'idp-oidc', issuer, clientId, clientSecret },
  domains: ['example.com'],
})
people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada' })

const START = '/auth/sso/start?idp=acme'

/** A browser that is signed in at both replicas by one session. */
async function signedIn() {
  const walker = newWalker(one, provider)
  const shown = await signInThere(walker, START, 'ada')
  assert.is(shown.path, '/auth/account', shown.text.slice(-500))
  const elsewhere = openBrowser(two.url)
  elsewhere.setCookie('gh_session', walker.here.cookie('gh_session') ?? '')
  assert.is((await elsewhere.get('/auth/account')).path, '/auth/account')
  return { walker, elsewhere }
}

const isOut = async (browser: ReturnType<typeof openBrowser>) =>
  (await browser.get('/auth/account')).path.startsWith('/auth/signin')

const notify = (gateway: { readonly url: string }, token: string) =>
  fetch(`${gateway.url}/auth/sso/backchannel`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ logout_token: token }).toString(),
  })

async function sessionsThere(): Promise<readonly { sid: string }[]> {
  const rows = await cluster.sql('select idp_session as sid from console_sessions where idp_session is not null')
  return rows as readonly { sid: string }[]
}

/** For each ID token that is kept, where in it a JWT stands in the clear: nowhere. */
const tokensKept = async () => {
  const rows = await cluster.sql("select position('eyJ' in payload) as at from one_time where kind = 'subject_token'")
  return rows.map(({ at }) => String(at))
}

test('signing out at the provider signs out here, at every replica, at once', async () => {
  const { walker, elsewhere } = await signedIn()
  // The provider's own way, which tells us behind the browser's back.
  const asked = await walker.there.get('/session/end')
  const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(asked.text) ?? []
  await walker.there.post('/session/end/confirm', { xsrf, logout: 'yes' })
  await until('the notice has come', async () => ((await isOut(elsewhere)) ? true : undefined))
  assert.ok(await isOut(walker.here))
})

test('a logout token ends the session that it names and leaves others; without one, all of the person', async () => {
  const [a, b] = [await signedIn(), await signedIn()]
  const [first] = await sessionsThere()
  assert.equal(await tokensKept(), ['0'])
  const answer = await notify(two, await provider.logoutToken({ sub: 'ada', sid: first?.sid }))
  assert.equal([answer.status, answer.headers.get('cache-control')], [200, 'no-store'])
  assert.equal([await isOut(a.walker.here), await isOut(b.walker.here)].toSorted(), [false, true])
  assert.is((await notify(two, await provider.logoutToken({ sub: 'ada' }))).status, 200)
  assert.ok((await isOut(a.elsewhere)) && (await isOut(b.elsewhere)))
  assert.equal(await tokensKept(), [])
})

test('a logout token that is not quite one ends nothing', async () => {
  const { walker } = await signedIn()
  const now = Math.floor(Date.now() / 1000)
  const good = await provider.logoutToken({ sub: 'somebody-else' })
  assert.is((await notify(one, good)).status, 200)
  const wrong = [
    good,
    'rubbish',
    '',
    good.slice(0, -4) + 'AAAA',
    await provider.logoutToken({ sub: 'ada', aud: 'another' }),
    await provider.logoutToken({ sub: 'ada', iss: 'https://evil.example' }),
    await provider.logoutToken({ sub: 'ada', events: {} }),
    await provider.logoutToken({ sub: 'ada', events: undefined }),
    await provider.logoutToken({ sub: 'ada', nonce: 'n' }),
    await provider.logoutToken({ sub: undefined, sid: undefined }),
    await provider.logoutToken({ sub: 'ada', jti: undefined }),
    await provider.logoutToken({ sub: 'ada', iat: undefined }),
    await provider.logoutToken({ sub: 'ada', iat: now - 3_600, exp: now + 60 }),
    await provider.logoutToken({ sub: 'ada', exp: now - 3_600 }),
    await provider.logoutToken({ sub: 'ada' }, { typ: 'at+jwt' }),
    unsigned({ iss: issuer, aud: clientId, iat: now, jti: 'x', sub: 'ada', events: { [EVENT]: {} } }),
  ]
  for (const token of wrong) {
    const answer = await notify(one, token)
    assert.is(answer.status, 400, token.slice(0, 60))
    assert.is(((await answer.json()) as { error: string }).error, 'invalid_request')
  }
  assert.not(await isOut(walker.here))
  const found = await until('the refusals are on record', async () => {
    const { items } = (await one.api('GET', '/logs?method=auth/sso&limit=500')) as { items: { log_type: string }[] }
    return items.length >= wrong.length ? JSON.stringify(items) : undefined
  })
  assert.match(found, 'used before')
  for (const token of wrong) if (token.length > 20) assert.not.match(found, token.slice(-20))
  await provider.rotate()
  assert.is((await notify(one, await provider.logoutToken({ sub: 'ada' }))).status, 200)
  assert.ok(await isOut(walker.here))
})

test('signing out here leads to the sign-out there, when that is asked for', async () => {
  const { walker } = await signedIn()
  const page = await walker.here.get('/auth/signout')
  assert.match(page.text, 'formaction="/auth/sso/signout"')
  assert.is((await walker.here.post('/auth/sso/signout', {})).status, 403)
  const [, _form = ''] = /name="_form" value="([^"]+)"/.exec(page.text) ?? []
  const { location } = await walker.here.post('/auth/sso/signout', { _form })
  const url = new URL(location ?? '')
  assert.is(url.origin + url.pathname, `${issuer}/session/end`)
  assert.is(url.searchParams.get('post_logout_redirect_uri'), `${one.url}/auth/signin`)
  assert.ok(url.searchParams.get('id_token_hint'))
  assert.ok(await isOut(walker.here))
})

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const unsigned = (claims: object) =>
  [{ alg: 'none', typ: 'logout+jwt' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat(randomBytes(8).toString('base64url'))
    .join('.')

test.run()
