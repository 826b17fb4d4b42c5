import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startGuardedServer } from './guarded-server.js'
import { callTool, textOf } from './calls.js'
import { startFakeServer } from './fakes.js'
import { openHouse, yamlOf } from './house.js'
import { stranger } from './person.js'

const house = await openHouse({
  identity: '{ shared: pool }',
  identities: 'identities: { pool: { server: crm, shared: true } }',
})
const { gateway, signIn, server, page } = house
test.after(() => house.stop())

/** Where the sign-in would send the browser back to, without going there. */
async function callbackOf(name: string): Promise<{ url: string; person: Awaited<ReturnType<typeof house.person>> }> {
  const person = await house.person(name)
  const shown = await person.get(page)
  const back = await person.submit(shown).catch((error: unknown) => error)
  const way = (back as { way: string[] }).way
  return { url: way.find((one) => one.includes('/oauth/upstream/callback')) ?? '', person }
}

test('one access for everybody is given by an administrator, once, and everybody is that account upstream', async () => {
  const before = await callTool(await house.access('mia'), 'whoami')
  assert.is(before.json.error.data?.reason ?? before.json.error.code, -32602, 'what nobody ever saw is unknown')
  const mia = await (await house.person('mia')).get(page)
  assert.match(mia.text, 'administrator has to renew')
  signIn.person = 'service-account'
  const ann = await house.person('ann')
  const done = await ann.submit(await ann.get(page))
  assert.match(done.text, 'Connected.')
  for (const name of ['mia', 'max']) {
    const access = await house.access(name)
    await callTool(access, 'whoami')
    assert.is(textOf(await callTool(access, 'whoami')), 'service-account')
  }
})

test('the API leads an administrator to the page, and nobody else', async () => {
  const { url } = (await gateway.api('POST', '/identities/pool/authorize')) as { url: string }
  assert.is(url, `${gateway.url}/connect/identity/pool`)
  assert.match((await (await house.person('ann')).get(url)).text, 'The shared access to crm')
  assert.is((await (await house.person('mia')).get(url)).status, 403)
})

test('a callback with no state, a made-up one or a spent one is refused, and none of it is redeemed', async () => {
  const asked = signIn.asked.length
  const { url, person } = await callbackOf('ann')
  const base = `${gateway.url}/oauth/upstream/callback`
  for (const bad of [base, `${base}?code=x`, `${base}?code=x&state=${'A'.repeat(43)}`, url])
    assert.is((await person.get(bad)).status, 400, bad)
  assert.is(signIn.asked.length, asked + 1, 'only the one that was gone through')
})

test('a callback that another person opens is refused, and does not spend the state of its owner', async () => {
  const ann = await house.person('ann')
  const shown = await ann.get(page)
  // As far as the sign-in and no further: the last step is taken by hand.
  const stopAt = `${gateway.url}/oauth/upstream/callback`
  const url = await ann.until(shown, stopAt)
  assert.is((await (await house.person('mia')).get(url)).status, 403)
  assert.is((await stranger().get(url)).status, 403)
  assert.is((await (await house.person('ann')).get(url)).status, 403, 'the same person in another session')
  assert.match((await ann.get(url)).text, 'Connected.')
})

test('an answer that another issuer would have given is refused', async () => {
  const ann = await house.person('ann')
  const url = new URL(await ann.until(await ann.get(page), `${gateway.url}/oauth/upstream/callback`))
  url.searchParams.set('iss', 'https://evil.example.com')
  const asked = signIn.asked.length
  const shown = await ann.get(url.href)
  assert.match(shown.text, 'is not who it says it is')
  assert.not.match(shown.text, 'evil.example.com')
  assert.is(signIn.asked.length, asked, 'the code went nowhere')
})

test('who says no at the sign-in changes nothing, and none of its words are shown', async () => {
  const ann = await house.person('ann')
  const url = new URL(await ann.until(await ann.get(page), `${gateway.url}/oauth/upstream/callback`))
  url.searchParams.delete('code')
  url.searchParams.set('error', 'access_denied')
  url.searchParams.set('error_description', 'click evil.example.com')
  const shown = await ann.get(url.href)
  assert.match(shown.text, 'Nothing was changed')
  assert.not.match(shown.text, 'evil.example.com')
  assert.is(textOf(await callTool(await house.access('mia'), 'whoami')), 'service-account')
})

test('a form that was not shown here begins nothing', async () => {
  const ann = await house.person('ann')
  const forged = {
    url: page,
    status: 200,
    way: [],
    text: `<form action="${page}"><input type="hidden" name="server" value="x"></form>`,
  }
  assert.is((await ann.submit(forged)).status, 403)
})

test('a server leads nobody to a sign-in at a private address, behind a redirect, or of another name', async () => {
  const other = await startFakeServer(() => ({ issuer: 'https://bank.example.com' }))
  const metadata: Record<string, Parameters<typeof startGuardedServer>[0]['metadata']> = {
    private: (own) => ({
      status: 200,
      body: { resource: `${own}/mcp`, authorization_servers: ['http://169.254.169.254'] },
    }),
    redirect: () => ({ status: 302, headers: { location: `${signIn.issuer}/x` } }),
    renamed: (own) => ({ status: 200, body: { resource: `${own}/mcp`, authorization_servers: [other.url] } }),
    foreign: () => ({
      status: 200,
      body: { resource: 'https://bank.example.com/mcp', authorization_servers: [signIn.issuer] },
    }),
  }
  for (const [name, answer] of Object.entries(metadata)) {
    const guarded = await startGuardedServer({ signIn, ...(answer === undefined ? {} : { metadata: answer }) })
    await gateway.configure(yamlOf(guarded.url))
    const ann = await house.person('ann')
    const shown = await ann.submit(await ann.get(page))
    assert.is(shown.status, 400, name)
    assert.match(shown.text, /sign-in of .* (cannot be|is not|refused)/, name)
    await guarded.stop()
  }
  assert.not.ok(
    other.asked.some((one) => one.startsWith('POST')),
    'nothing was registered there',
  )
  await other.stop()
  await gateway.configure(yamlOf(server.url))
})

test.run()
