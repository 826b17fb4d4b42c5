import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core'
import { Client } from 'pg'
import { test as always } from 'uvu'
import * as assert from 'uvu/assert'
import { hasChromium, openChromium } from '../chromium.js'
import { startGateway } from '../gateway.js'
import { givePassword, PASSWORD, refusalsAt, signedInBrowser } from '../people.js'

const test = hasChromium ? always : always.skip
const gateway = hasChromium ? await startGateway() : null
const chromium: Browser | null = hasChromium ? await openChromium() : null
always.after(async () => {
  await chromium?.close()
  await gateway?.stop()
})

interface Device {
  readonly context: BrowserContext
  readonly page: Page
  readonly cdp: CDPSession
  readonly authenticatorId: string
}

/** A browser with an authenticator of its own, in which nobody is signed in. */
async function device(): Promise<Device> {
  const context = await chromium!.newContext({ baseURL: gateway!.url })
  const page = await context.newPage()
  const cdp = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
      ...{ isUserVerified: true, automaticPresenceSimulation: true },
    },
  })
  return { context, page, cdp, authenticatorId }
}

async function signIn(page: Page, email: string): Promise<void> {
  await gateway!.api('POST', '/users', { email })
  await givePassword(gateway!, email)
  await page.goto('/auth/signin')
  await page.fill('#email', email)
  await page.fill('#password', PASSWORD)
  await page.click('button.main')
  await page.waitForURL('**/auth/account')
}

async function addPasskey(page: Page, name: string): Promise<void> {
  await page.click('text=Add a passkey')
  await page.fill('#name', name)
  await page.fill('#old', PASSWORD)
  await page.click('button.main')
  await page.waitForURL('**/auth/account?done=passkey')
}

async function usePasskey(page: Page): Promise<void> {
  await page.goto('/auth/signin?to=/auth/account')
  await page.click('text=Use a passkey')
  await page.click('button.main')
  await page.waitForLoadState()
}

test('a person adds a passkey, signs in with nothing else, renames it and removes it', async () => {
  const { page, cdp, authenticatorId, context } = await device()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  await signIn(page, 'ada@example.com')
  await addPasskey(page, 'Laptop <i>')
  assert.match(await page.content(), 'Laptop &lt;i&gt;')
  const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
  assert.equal([credentials.length, credentials[0]?.isResidentCredential], [1, true])
  await page.click('text="Sign out"')
  await page.waitForURL('**/auth/signin')
  await usePasskey(page)
  await page.waitForURL('**/auth/account')
  assert.match(await page.content(), 'By passkey')
  await page.fill('input[aria-label="Name of the passkey"]', 'Desk')
  await page.click('text=Rename')
  await page.waitForURL('**/auth/account?done=passkey')
  assert.is(await page.inputValue('input[aria-label="Name of the passkey"]'), 'Desk')
  await page.click('text="Remove"')
  await page.waitForURL('**/auth/account?done=removed')
  assert.equal(complaints, [])
  await context.close()
})

test('an open browser is not enough to add a passkey: the old password is asked for', async () => {
  const { page, cdp, authenticatorId, context } = await device()
  await signIn(page, 'open@example.com')
  await page.click('text=Add a passkey')
  await page.fill('#old', 'not the password')
  await page.click('button.main')
  await page.waitForSelector('text=The old password is not right')
  assert.is((await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length, 1)
  await page.goto('/auth/account')
  assert.is(await page.locator('input[name=passkey]').count(), 0)
  await refusalsAt(gateway!, 'auth/passkeys', ['the old password is wrong, or the account rests'])
  await context.close()
})

test('a passkey that was removed, or whose person is disabled, opens nothing', async () => {
  const { page, context } = await device()
  await signIn(page, 'eve@example.com')
  await addPasskey(page, 'Phone')
  await context.clearCookies()
  await gateway!.api('PATCH', '/users/eve@example.com', { enabled: false })
  await usePasskey(page)
  await page.waitForSelector('text=That did not work')
  assert.match(await page.content(), 'This account is disabled')
  await gateway!.api('PATCH', '/users/eve@example.com', { enabled: true })
  await usePasskey(page)
  await page.waitForURL('**/auth/account')
  await page.click('text="Remove"')
  await page.waitForURL('**/auth/account?done=removed')
  await context.clearCookies()
  await usePasskey(page)
  await page.waitForSelector('text=That did not work')
  await context.close()
})

test('a counter that does not rise tells of a copied key, which opens nothing', async () => {
  const { page, context } = await device()
  await signIn(page, 'mia@example.com')
  await addPasskey(page, 'Key')
  await context.clearCookies()
  const database = new Client({ connectionString: gateway!.databaseUrl! })
  await database.connect()
  await database.query(`update passkeys set counter = 1000 where name = 'Key'`)
  await database.end()
  await usePasskey(page)
  await page.waitForSelector('text=That did not work')
  assert.match(await page.content(), 'This passkey does not open anything here')
  await context.close()
})

test('an answer of a passkey is good once, and in the browser that asked for it', async () => {
  const { page, context } = await device()
  await signIn(page, 'joe@example.com')
  await addPasskey(page, 'Key')
  await context.clearCookies()
  const sent: string[] = []
  page.on('request', (request) => {
    if (request.method() === 'POST') sent.push(request.postData() ?? '')
  })
  await usePasskey(page)
  await page.waitForURL('**/auth/account')
  const response = new URLSearchParams(sent.at(-1)).get('response') ?? ''
  assert.match(response, 'authenticatorData')
  for (const other of [context, await chromium!.newContext({ baseURL: gateway!.url })]) {
    const again = await other.newPage()
    await other.clearCookies({ name: 'gh_session' })
    await again.goto(`${gateway!.url}/auth/passkey`)
    await again.evaluate(`(() => {
      const form = document.querySelector('form[data-passkey]')
      form.elements.namedItem('response').value = ${JSON.stringify(response)}
      form.submit()
    })()`)
    await again.waitForSelector('text=That did not work')
    await other.close()
  }
})

test('a device that has not seen its person opens nothing, whatever the page was made to ask', async () => {
  const { page, context, cdp, authenticatorId } = await device()
  await signIn(page, 'una@example.com')
  await addPasskey(page, 'Key')
  await context.clearCookies()
  await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  await page.route('**/auth/passkey?*', async (route) => {
    const answer = await route.fetch()
    const body = (await answer.text()).replace(
      'userVerification&quot;:&quot;required',
      'userVerification&quot;:&quot;discouraged',
    )
    await route.fulfill({ response: answer, body })
  })
  await usePasskey(page)
  await page.waitForSelector('text=That did not work')
  await refusalsAt(gateway!, 'auth/passkey', ['User verification required, but user could not be verified'])
  await context.close()
})

test('nobody touches the passkeys of another', async () => {
  const { page, context } = await device()
  await signIn(page, 'own@example.com')
  await addPasskey(page, 'Mine')
  const id = await page.inputValue('input[name=passkey]')
  const stranger = await signedInBrowser(gateway!, 'stranger@example.com')
  const form = /name="_form" value="([^"]+)"/.exec((await stranger.get('/auth/account')).text)?.[1] ?? ''
  await stranger.post('/auth/account/passkeys', { _form: form, passkey: id, way: 'rename', name: 'Yours' })
  await stranger.post('/auth/account/passkeys', { _form: form, passkey: id, way: 'remove' })
  await page.reload()
  assert.is(await page.inputValue('input[aria-label="Name of the passkey"]'), 'Mine')
  await context.close()
})

test('the only way in is not removed', async () => {
  const { page, context } = await device()
  await signIn(page, 'only@example.com')
  await addPasskey(page, 'Only')
  const database = new Client({ connectionString: gateway!.databaseUrl! })
  await database.connect()
  await database.query(`delete from passwords p using users u where u.id = p.user_id and u.email = 'only@example.com'`)
  await database.end()
  await page.click('text="Remove"')
  await page.waitForSelector('text=your only way to sign in')
  await context.close()
})

test('a newcomer sets up a passkey in the place of a password', async () => {
  const { page, context } = await device()
  const { items } = await gateway!.api('POST', '/invitations', { emails: ['keyed@example.com'] })
  await page.goto((items as { url: string }[])[0]!.url)
  await page.fill('#name', 'Keyed')
  await page.click('text=Use a passkey instead')
  await page.waitForURL('**/auth/passkeys/new')
  await page.click('button.main')
  await page.waitForURL('**/auth/account?done=passkey')
  await context.clearCookies()
  await usePasskey(page)
  await page.waitForURL('**/auth/account')
  assert.match(await page.content(), 'keyed@example.com')
  await context.close()
})

always.run()
