import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type AiClient, allow, codeIn, createAiClient, PUBLIC } from './ai-client.js'
import { oauthHouse } from './house.js'
import { createTestBrowser } from './test-browser.js'

const house = await oauthHouse()
test.after(() => house.stop())
const { url, gateway } = house
const eng = `${url}/mcp/eng`

const registered = async (metadata: Readonly<Record<string, unknown>> = PUBLIC): Promise<AiClient> => {
  const client = createAiClient(url, { metadata })
  await client.register()
  return client
}
const refusedAt = (page: { readonly text: string }, why: RegExp) => {
  assert.match(page.text, why)
  assert.not.match(page.text, 'value="allow"')
}

test('who is not signed in is sent to sign in, and comes back', async () => {
  const client = await registered()
  const browser = createTestBrowser(url)
  const { url: start, verifier } = client.begin(eng)
  const page = await browser.get(start)
  assert.match(page.url, /\/auth\/signin\?to=%2Foauth%2Finteraction%2F/)
  const back = new URL(page.url).searchParams.get('to') ?? ''
  await house.signIn(browser, 'ann@example.com')
  const left = await allow(browser, await browser.get(back))
  assert.is((await client.exchange(codeIn(left), verifier)).status, 200)
})

test('deny goes to the client, and grants nothing', async () => {
  const client = await registered()
  const browser = await house.person('ann@example.com')
  const { url: start, state } = client.begin(eng)
  const left = await browser.press(await browser.get(start), 'Deny')
  assert.is(left.leftFor?.searchParams.get('error'), 'access_denied')
  assert.is(left.leftFor?.searchParams.get('state'), state)
  assert.is(left.leftFor?.searchParams.get('iss'), url)
  assert.is(
    (await house.sql(`select 1 from oauth_artifacts where kind = 'AuthorizationCode' and expires_at < now()`)).length,
    0,
  )
})

test('each time is asked anew: another program may have taken the client id', async () => {
  const client = await registered()
  const browser = await house.person('ann@example.com')
  for (let times = 0; times < 2; times += 1) {
    const page = await browser.get(client.begin(eng).url)
    assert.is(page.leftFor, null)
    assert.match(page.text, 'value="allow"')
    codeIn(await allow(browser, page))
  }
  const silent = await browser.get(client.begin(eng, { prompt: 'none' }).url)
  assert.match(silent.leftFor?.searchParams.get('error') ?? '', /interaction_required|consent_required/)
})

test('also of a client on the web: a grant of before lets nothing in', async () => {
  const client = await registered({ client_name: 'Web', redirect_uris: ['https://app.example/cb'] })
  const browser = await house.person('ann@example.com')
  codeIn(await allow(browser, await browser.get(client.begin(eng).url)))
  const page = await browser.get(client.begin(eng).url)
  assert.match(page.text, 'app.example')
  assert.match(page.text, 'value="allow"')
})

test('a form from another site, another browser or nowhere grants nothing', async () => {
  const client = await registered()
  const ann = await house.person('ann@example.com')
  const page = await ann.get(client.begin(eng).url)
  const form = new URLSearchParams({ answer: 'allow', gateway: 'eng' })
  const token = /name="_form" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  assert.is((await ann.post(page.url, form)).status, 403, 'without the token')
  const withToken = new URLSearchParams({ ...Object.fromEntries(form), _form: token })
  const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  assert.is((await ann.post(page.url, withToken, foreign)).status, 403, 'from another site')
  const carl = await house.person('carl@example.com')
  assert.is((await carl.post(page.url, withToken)).status, 410, 'in another browser')
  assert.is((await carl.get(page.url)).status, 410)
  codeIn(await ann.press(page, 'Allow'))
  assert.is((await ann.get(page.url)).status, 410, 'it is over')
})

test('the page is no other site’s to frame, and sends no referrer', async () => {
  const page = await (await house.person('ann@example.com')).get((await registered()).begin(eng).url)
  const policy = page.headers.get('content-security-policy') ?? ''
  assert.match(policy, "frame-ancestors 'none'")
  assert.match(policy, "default-src 'none'")
  assert.not.match(policy, 'form-action', 'it would stop the redirect to the client')
  assert.is(page.headers.get('cache-control'), 'no-store')
})

test('a gateway that the person does not reach is refused before anything is granted', async () => {
  const bob = await house.person('bob@example.com')
  const client = await registered()
  const page = await bob.get(client.begin(eng).url)
  refusedAt(page, /not available to you/)
  const token = /name="_form" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  for (const name of ['eng', 'ops', ''])
    assert.is(
      (await bob.post(page.url, new URLSearchParams({ answer: 'allow', gateway: name, _form: token }))).status,
      403,
    )
  const left = await bob.press(page, 'Deny')
  assert.is(left.leftFor?.searchParams.get('error'), 'access_denied')
})

test('the picker offers what is the person’s own and nothing else', async () => {
  const carl = await house.person('carl@example.com')
  const page = await carl.get((await registered()).begin(`${url}/mcp`).url)
  assert.match(page.text, 'Engineering')
  assert.match(page.text, 'Operations')
  const bob = await house.person('bob@example.com')
  const own = await bob.get((await registered()).begin(`${url}/mcp`).url)
  assert.not.match(own.text, 'Engineering')
  const token = /name="_form" value="([^"]+)"/.exec(own.text)?.[1] ?? ''
  assert.is(
    (await bob.post(own.url, new URLSearchParams({ answer: 'allow', gateway: 'eng', _form: token }))).status,
    403,
  )
})

test('who may not let clients in is told so', async () => {
  const dora = await house.person('dora@example.com')
  refusedAt(await dora.get((await registered()).begin(eng).url), /Your role may not let AI clients in/)
})

test('a client that is switched off is refused before anything is granted', async () => {
  const client = await registered({ ...PUBLIC, client_name: 'Banned' })
  const browser = await house.person('ann@example.com')
  await client.connect(browser, eng)
  const [host] = await house.sql(`select id::text from hosts where title = 'Banned'`)
  await gateway.api('PATCH', `/hosts/${String(host?.['id'])}`, { enabled: false })
  const grants = async () => (await house.sql(`select 1 from oauth_artifacts where kind = 'Grant'`)).length
  const before = await grants()
  refusedAt(await browser.get(client.begin(eng).url), /switched off/)
  const another = await registered({ ...PUBLIC, client_name: 'Banned', redirect_uris: ['http://localhost:1/other'] })
  refusedAt(await browser.get(another.begin(eng).url), /switched off/)
  assert.is(await grants(), before)
})

test('who is disabled is nobody', async () => {
  const carl = await house.person('carl@example.com')
  await house.sql(`update users set enabled = false where email = 'carl@example.com'`)
  const page = await carl.get((await registered()).begin(eng).url)
  assert.match(page.url, '/auth/signin')
  await house.sql(`update users set enabled = true where email = 'carl@example.com'`)
})

test('whoever signed in last is who lets the client in', async () => {
  const client = await registered()
  const browser = await house.person('ann@example.com')
  codeIn(await allow(browser, await browser.get(client.begin(eng).url)))
  await house.signIn(browser, 'carl@example.com')
  let page = await browser.get(client.begin(eng).url)
  // The library ends the session of the former person with a form that sends itself.
  if (page.text.includes('/oauth/end/confirm')) page = await browser.press(page, 'Continue')
  assert.match(page.text, 'signed in as carl@example.com')
  const { verifier, url: start } = client.begin(eng)
  const left = await allow(browser, await browser.get(start))
  const { json } = await client.exchange(codeIn(left), verifier)
  const [row] = await house.sql(
    `select u.email from oauth_artifacts a join connection_grants g using (grant_hash) join connections c on c.id = g.connection_id
     join users u on u.id = c.user_id where a.kind = 'AccessToken' and a.id_hash = $1`,
    [sha256(json.access_token)],
  )
  assert.is(row?.['email'], 'carl@example.com')
})

test('somebody else signing in between question and answer answers nothing', async () => {
  const client = await registered()
  const browser = await house.person('ann@example.com')
  const page = await browser.get(client.begin(eng).url)
  await house.signIn(browser, 'carl@example.com')
  const after = await browser.press(page, 'Allow')
  assert.is(after.leftFor, null, 'no code for the first one’s answer')
})

test('signing out of the console asks again for who it is', async () => {
  const client = await registered()
  const browser = await house.person('ann@example.com')
  codeIn(await allow(browser, await browser.get(client.begin(eng).url)))
  await house.sql('delete from console_sessions')
  const page = await browser.get(client.begin(eng).url)
  assert.match(page.url, '/auth/signin')
})

test('three tabs at once, finished in another order, all come through', async () => {
  const browser = createTestBrowser(url)
  const client = await registered()
  const begun = [client.begin(eng), client.begin(eng), client.begin(eng)]
  const pages = []
  for (const { url: start } of begun) pages.push(await browser.get(start))
  await house.signIn(browser, 'ann@example.com')
  for (const at of [2, 0, 1]) {
    const back = new URL(pages[at]?.url ?? '').searchParams.get('to') ?? ''
    const left = await allow(browser, await browser.get(back))
    assert.is((await client.exchange(codeIn(left), begun[at]?.verifier ?? '')).status, 200)
  }
})

test('keys that are turned in mid-flow break nothing', async () => {
  const client = await registered()
  const browser = await house.person('ann@example.com')
  const { url: start, verifier } = client.begin(eng)
  const page = await browser.get(start)
  const kids = async () =>
    ((await (await fetch(`${url}/oauth/jwks`)).json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
  const before = await kids()
  for (let step = 0; step < 2; step += 1) await gateway.api('POST', '/oauth-keys/turn', {})
  const after = await kids()
  assert.is.not(after[0], before[0], 'another one signs')
  assert.ok(after.includes(before[0] ?? ''), 'the old one is still told')
  const left = await allow(browser, await browser.get(page.url))
  const { json } = await client.exchange(codeIn(left), verifier)
  assert.is((await house.call('/mcp/eng', json.access_token)).status, 200)
})

test('only paths of ours are gone to after signing in', async () => {
  const browser = createTestBrowser(url)
  const page = await browser.get((await registered()).begin(eng).url)
  const to = new URL(page.url).searchParams.get('to') ?? ''
  assert.match(to, /^\/oauth\/interaction\/[\w-]+$/)
})

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

test.run()
