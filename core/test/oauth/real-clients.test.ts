// time-limit: 300
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'
import { UnauthorizedError as OlderUnauthorized } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Browser } from 'playwright-core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hasChromium, openChromium } from '../chromium.js'
import { node24 } from '../node24.js'
import { givePassword, PASSWORD } from '../people.js'
import { until } from '../until.js'
import { oauthHouse, type OauthHouse } from './house.js'
import { keeper } from './keeper.js'
import { callbackServer, realPerson, type RealPerson } from './real-person.js'

/** Each of these is a client as people have it, and a browser as people have it. */
const real = hasChromium ? test : test.skip
let house: OauthHouse
let chromium: Browser
let ann: RealPerson

test.before(async () => {
  if (!hasChromium) return
  house = await oauthHouse()
  chromium = await openChromium()
  ann = await realPerson(house, chromium, 'ann@example.com')
})
test.after(async () => {
  if (!hasChromium) return
  await chromium.close()
  await house.stop()
})

const expireAccess = async () => {
  await house.sql(`update oauth_artifacts set expires_at = now() - interval '1 second' where kind = 'AccessToken'`)
  await house.gateway.api('PATCH', '/settings', {})
}

real('the SDK of the second generation connects, calls, refreshes in silence, and connects anew', async () => {
  const callback = await callbackServer()
  const { kept, provider } = keeper(callback.url)
  const url = new URL(`${house.url}/mcp/eng`)
  const open = () => new StreamableHTTPClientTransport(url, { authProvider: provider })
  const connect = async () => {
    const transport = open()
    await new Client({ name: 'second', version: '1' }).connect(transport).then(
      () => assert.unreachable('it needs to sign in'),
      (thrown: unknown) => assert.instance(thrown, UnauthorizedError),
    )
    const back = callback.next()
    await ann.allow(String(kept.opened.at(-1)))
    await transport.finishAuth(await back)
    const client = new Client({ name: 'second', version: '1' })
    await client.connect(open())
    return client
  }
  const client = await connect()
  assert.match(JSON.stringify(await client.callTool({ name: 'act', arguments: {} })), 'done')
  const first = kept.tokens.refresh_token
  await expireAccess()
  assert.match(JSON.stringify(await client.callTool({ name: 'act', arguments: {} })), 'done')
  assert.is.not(kept.tokens.refresh_token, first, 'it has refreshed')
  assert.is(kept.opened.length, 1, 'without a browser')
  await client.close()
  kept.tokens = undefined
  const again = await connect()
  assert.match(JSON.stringify(await again.callTool({ name: 'act', arguments: {} })), 'done')
  await again.close()
  await callback.stop()
})

real('the SDK of the first generation connects, calls and refreshes in silence', async () => {
  const callback = await callbackServer()
  const { kept, provider } = keeper(callback.url)
  const url = new URL(`${house.url}/mcp`)
  const open = () => new OlderTransport(url, { authProvider: provider })
  const transport = open()
  await new OlderClient({ name: 'first', version: '1' }).connect(transport).then(
    () => assert.unreachable('it needs to sign in'),
    (thrown: unknown) => assert.instance(thrown, OlderUnauthorized),
  )
  const back = callback.next()
  await ann.allow(String(kept.opened.at(-1)))
  await transport.finishAuth((await back).get('code') ?? '')
  const client = new OlderClient({ name: 'first', version: '1' })
  await client.connect(open())
  assert.match(JSON.stringify(await client.callTool({ name: 'act', arguments: {} })), 'done')
  const before = kept.tokens.refresh_token
  await expireAccess()
  assert.match(JSON.stringify(await client.callTool({ name: 'act', arguments: {} })), 'done')
  assert.is.not(kept.tokens.refresh_token, before)
  assert.is(kept.opened.length, 1)
  await client.close()
  await callback.stop()
})

real(
  'a host that is switched off stops both kinds of client, and lets them go on without connecting anew',
  async () => {
    const callback = await callbackServer()
    const { kept, provider } = keeper(callback.url)
    const url = new URL(`${house.url}/mcp/eng`)
    const transport = new StreamableHTTPClientTransport(url, { authProvider: provider })
    await new Client({ name: 'third', version: '1' }).connect(transport).catch(() => undefined)
    const back = callback.next()
    await ann.allow(String(kept.opened.at(-1)))
    await transport.finishAuth(await back)
    const client = new Client({ name: 'third', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(url, { authProvider: provider }))
    const [host] = await house.sql(`select id::text from hosts where title = 'SDK client'`)
    await house.gateway.api('PATCH', `/hosts/${String(host?.['id'])}`, { enabled: false })
    await client.callTool({ name: 'act', arguments: {} }).then(
      () => assert.unreachable('the host is off'),
      () => undefined,
    )
    assert.ok(kept.tokens, 'it keeps its tokens')
    await house.gateway.api('PATCH', `/hosts/${String(host?.['id'])}`, { enabled: true })
    assert.match(JSON.stringify(await client.callTool({ name: 'act', arguments: {} })), 'done')
    assert.is(kept.opened.length, 1)
    await client.close()
    await callback.stop()
  },
)

/** A browser that only writes down what it shall open: whoever wants one finds it as `xdg-open` or in BROWSER. */
async function fakeOpener(): Promise<{
  folder: string
  opened: () => Promise<string | undefined>
  forget: () => Promise<void>
}> {
  const folder = await mkdtemp(join(tmpdir(), 'gh-opener-'))
  await mkdir(join(folder, 'bin'))
  const file = join(folder, 'opened')
  await writeFile(
    join(folder, 'bin', 'xdg-open'),
    `#!/bin/sh\nprintf '%s' "$1" > '${file}.new' && mv '${file}.new' '${file}'\n`,
  )
  await chmod(join(folder, 'bin', 'xdg-open'), 0o755)
  return {
    folder,
    opened: () => readFile(file, 'utf8').catch(() => undefined),
    forget: () => rm(file, { force: true }),
  }
}

real('mcp-remote connects through a real browser, keeps its tokens, refreshes, and signs in anew', async () => {
  const opener = await fakeOpener()
  const config = join(opener.folder, 'config')
  const { node, mcpRemote } = node24()
  const start = () =>
    new StdioClientTransport({
      command: node,
      args: [mcpRemote, `${house.url}/mcp/eng`],
      env: {
        PATH: [join(opener.folder, 'bin'), dirname(node), process.env['PATH'] ?? ''].join(delimiter),
        BROWSER: join(opener.folder, 'bin', 'xdg-open'),
        HOME: opener.folder,
        MCP_REMOTE_CONFIG_DIR: config,
      },
      stderr: 'pipe',
    })
  const use = async (isAsked: boolean) => {
    await opener.forget()
    const client = new OlderClient({ name: 'through mcp-remote', version: '1' })
    const connected = client.connect(start(), { timeout: 60_000 })
    if (isAsked) await ann.allow(await until('it opens a browser', opener.opened, { seconds: 40 }))
    await connected
    assert.match(JSON.stringify(await client.callTool({ name: 'act', arguments: {} })), 'done')
    if (!isAsked) assert.is(await opener.opened(), undefined, 'no browser was opened')
    await client.close()
  }
  await use(true)
  await use(false)
  await expireAccess()
  await use(false)
  await forgetTokens(config)
  await use(true)
  await rm(opener.folder, { recursive: true, force: true })
})

async function forgetTokens(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true }))
    if (name.endsWith('tokens.json')) await rm(join(folder, name))
}

real('a person who is not signed in types their password on the way, and comes through', async () => {
  await givePassword(house.gateway, 'carl@example.com')
  const context = await chromium.newContext()
  const callback = await callbackServer()
  const { kept, provider } = keeper(callback.url)
  const url = new URL(`${house.url}/mcp`)
  const transport = new StreamableHTTPClientTransport(url, { authProvider: provider })
  await new Client({ name: 'fourth', version: '1' }).connect(transport).catch(() => undefined)
  const page = await context.newPage()
  const back = callback.next()
  await page.goto(String(kept.opened.at(-1)))
  await page.getByLabel('E-mail address').fill('carl@example.com')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByLabel('Engineering').check()
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('button', { name: /^Allow/ }).click()
  await transport.finishAuth(await back)
  const client = new Client({ name: 'fourth', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider: provider }))
  assert.match(JSON.stringify(await client.callTool({ name: 'act', arguments: {} })), 'done')
  await client.close()
  await context.close()
  await callback.stop()
})

real('the page works without scripts, in a real browser', async () => {
  const context = await chromium.newContext({ javaScriptEnabled: false })
  await context.addCookies(await ann.context.cookies())
  const callback = await callbackServer()
  const registration = await fetch(`${house.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'No scripts',
      redirect_uris: [callback.url],
      token_endpoint_auth_method: 'none',
    }),
  })
  const { client_id } = (await registration.json()) as { client_id: string }
  const query = new URLSearchParams({
    ...{ client_id, response_type: 'code', redirect_uri: callback.url, state: randomUUID() },
    ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
  })
  const page = await context.newPage()
  const back = callback.next()
  await page.goto(`${house.url}/oauth/authorize?${query}`)
  assert.match((await page.textContent('main')) ?? '', 'No scripts')
  await page.getByRole('button', { name: /^Allow/ }).click()
  assert.ok((await back).get('code'))
  await context.close()
  await callback.stop()
})

test.run()
