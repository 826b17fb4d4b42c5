// time-limit: 120
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, fakeUpstream, params, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { signedInPeople, type SignedInPeople } from '../signed-in.js'
import type { Page, TestBrowser } from '../oauth/test-browser.js'

let server: FakeServer
let gateway: RunningGateway
let house: SignedInPeople
test.before(async () => {
  server = await fakeUpstream((seen) =>
    answerJson(seen, {
      result: { content: [], resultType: 'complete', by: seen.headers['x-key'] ?? 'nobody', of: params(seen)['name'] },
    }),
  )
  gateway = await startGateway()
  house = await signedInPeople(gateway)
  await gateway.api('POST', '/roles', { slug: 'reader', capabilities: [] })
  for (const [email, role] of [
    ['mia@example.com', 'member'],
    ['max@example.com', 'member'],
    ['rita@example.com', 'reader'],
  ])
    await gateway.api('POST', '/users', { email, role })
  const crew = ['mia@example.com', 'max@example.com', 'rita@example.com']
  await gateway.api('POST', '/teams', { slug: 'crew', members: crew })
  await gateway.api('POST', '/servers', {
    slug: 'mail',
    url: server.url,
    auth: { headers: { 'X-Key': 'set by each' } },
  })
  const servers = [{ server: 'mail', identity: 'per-user' }]
  await gateway.api('POST', '/gateways', { slug: 'house', title: 'The house', teams: ['crew'], servers })
  await gateway.api('POST', '/gateways', { slug: 'annex', title: 'The annex', teams: ['crew'] })
  await gateway.api('POST', '/gateways', { slug: 'vault', title: 'The vault', servers: [{ server: 'mail' }] })
  await gateway.api('POST', '/hosts', { slug: 'bot', title: 'Feedback bot' })
})
test.after(async () => {
  await house.stop()
  await gateway.stop()
  await server.stop()
})

/** The browser of these tests knows no selection. */
const FOR_EVER = { days: '' }
const LINK = '/connect/host/bot'
/** What the page shows once. */
function accessOf(page: Page): Access {
  const token = /API_[A-Za-z0-9_-]{43}/.exec(page.text)?.[0] ?? ''
  const path = /\/mcp\/[a-z0-9-]+/.exec(page.text)?.[0] ?? ''
  return { url: gateway.url + path, token, tokenId: '', host: 'bot' }
}

async function enrol(browser: TestBrowser, key: string): Promise<Access> {
  const chosen = await browser.press(await browser.get(LINK), 'Continue', { gateway: 'house' })
  const button = chosen.text.includes('Connect again mail') ? 'Connect again mail' : 'Connect mail'
  const given = await browser.press(chosen, button, { 'header.X-Key': key })
  return accessOf(await browser.press(given, 'Make a token', FOR_EVER))
}

test('who is not signed in is sent there, and comes back to this very page', async () => {
  const response = await fetch(`${gateway.url}${LINK}?gateway=house`, { redirect: 'manual' })
  assert.is(response.headers.get('location'), '/auth/signin?to=%2Fconnect%2Fhost%2Fbot%3Fgateway%3Dhouse')
})

test('a person picks a gateway of their teams, gives their identity, and gets a token that acts as them', async () => {
  const browser = await house.person('mia@example.com')
  const first = await browser.get(LINK)
  assert.match(first.text, /The house/)
  assert.match(first.text, /The annex/)
  assert.not.match(first.text, /The vault/)
  assert.is(first.headers.get('cache-control'), 'no-store')
  const access = await enrol(browser, 'of-mia')
  const { json } = await legacy(access, call('act'))
  assert.is(json.result.by, 'of-mia')
  const [row] = await gateway.recorded(access, { method: 'tools/call' })
  assert.equal([row?.legs[0]?.user_email, row?.legs[0]?.host_name], ['mia@example.com', 'Feedback bot'])
})

test('one host, two people: each call goes with the caller’s own credential, and a token opens its gateway alone', async () => {
  const mia = await enrol(await house.person('mia@example.com'), 'of-mia-2')
  const max = await enrol(await house.person('max@example.com'), 'of-max')
  for (const [access, by] of [
    [mia, 'of-mia-2'],
    [max, 'of-max'],
    [mia, 'of-mia-2'],
  ] as const)
    assert.is((await legacy(access, call('act'))).json.result.by, by)
  for (const slug of ['annex', 'vault']) {
    const elsewhere = { ...max, url: `${gateway.url}/mcp/${slug}` }
    assert.is((await legacy(elsewhere, call('act'))).status, 401)
  }
  const rows = await gateway.recorded(max, { method: 'tools/call' })
  const named = new Set(rows.map(({ legs }) => `${legs[0]?.user_email} by ${legs[0]?.host_name}`))
  assert.ok(named.has('max@example.com by Feedback bot') && named.has('mia@example.com by Feedback bot'))
  const { items } = (await gateway.api('GET', '/connections?host=bot')) as { items: readonly unknown[] }
  assert.is(items.length, 2, 'one connection for each person')
})

test('what was made is listed without its secret and revoked by its person alone', async () => {
  const browser = await house.person('max@example.com')
  const access = await enrol(browser, 'of-max')
  const page = await browser.get(LINK)
  assert.not.match(page.text, /API_/)
  const button = `Revoke …${access.token.slice(-4)}`
  const id = new RegExp(`value="([0-9a-f-]{36})" />\\s*<button name="do" value="revoke">\\s*${button}`).exec(
    page.text,
  )?.[1]
  const stranger = await house.person('mia@example.com')
  const foreign = await stranger.press(await stranger.get(`${LINK}?gateway=annex`), 'Make a token', {
    do: 'revoke',
    token: id ?? '',
  })
  assert.is(foreign.status, 404)
  assert.is((await legacy(access, call('act'))).status, 200)
  await browser.press(page, button)
  assert.is((await legacy(access, call('act'))).status, 401)
})

test('a form that is sent twice makes one token', async () => {
  const browser = await house.person('mia@example.com')
  const form = await browser.get(`${LINK}?gateway=house`)
  assert.is((await browser.press(form, 'Make a token', FOR_EVER)).status, 200)
  const again = await browser.press(form, 'Make a token', FOR_EVER)
  assert.is(again.status, 410)
  assert.not.match(again.text, /API_/)
})

test('an expiry that is chosen is the token’s', async () => {
  const browser = await house.person('mia@example.com')
  const form = await browser.get(`${LINK}?gateway=annex`)
  const made = await browser.press(form, 'Make a token', { label: 'short', days: '30' })
  assert.match(made.text, /It ends on/)
  const { items } = (await gateway.api('GET', '/tokens?kind=access&user=mia@example.com')) as unknown as {
    items: readonly { label: string; expiresAt: string }[]
  }
  const days = (Date.parse(items.find(({ label }) => label === 'short')?.expiresAt ?? '') - Date.now()) / 86_400_000
  assert.ok(days > 29.9 && days <= 30)
})

test('a form of another site, another gateway, a person without the capability are refused and recorded', async () => {
  const browser = await house.person('mia@example.com')
  const fields = new URLSearchParams({ do: 'mint', label: 'x', days: '' })
  assert.is((await browser.post(`${LINK}?gateway=house`, fields)).status, 403)
  assert.is((await browser.get(`${LINK}?gateway=vault`)).status, 403)
  const reader = await (await house.person('rita@example.com')).get(LINK)
  assert.is(reader.status, 403)
  assert.match(reader.text, /authenticateViaOauth/)
  const unknown = await browser.get('/connect/host/nobody')
  assert.is(unknown.status, 404)
})

test('what is switched off gives no token: the host, the connection, the gateway', async () => {
  const browser = await house.person('mia@example.com')
  const form = await browser.get(`${LINK}?gateway=house`)
  const { items } = (await gateway.api(
    'GET',
    '/connections?host=bot&gateway=house&user=mia@example.com',
  )) as unknown as {
    items: readonly { id: string }[]
  }
  for (const [path, says] of [
    ['/hosts/bot', /switched off/],
    [`/connections/${items[0]?.id}`, /switched off/],
    ['/gateways/house', /not available/],
  ] as const) {
    await gateway.api('PATCH', path, { enabled: false })
    const refused = await browser.press(form, 'Make a token', FOR_EVER)
    assert.is(refused.status, 403, path)
    assert.match(refused.text, says)
    await gateway.api('PATCH', path, { enabled: true })
  }
})

test.run()
