import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../../errors.js'
import { createCounter, createMount } from './mount.js'
import { meantPath } from './places.js'

interface Bench {
  readonly handle: (req: IncomingMessage, res: ServerResponse) => Promise<void>
  readonly throttle?: (path: string) => Promise<void>
}

/** The mount in front of a server that is none; what is thrown past it is answered 500. */
async function ask({ handle, throttle = async () => undefined }: Bench, path: string, init: RequestInit = {}) {
  const app = new Koa()
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch {
      ctx.status = 500
      ctx.body = 'thrown'
    }
  })
  const browser = { session: async () => null }
  const url = () => 'https://gate.example.com'
  app.use(createMount({ server: { handle }, url, counter: createCounter(), browser, throttle }))
  app.use((ctx) => void (ctx.body = 'not here'))
  const http = createServer(app.callback())
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  try {
    const response = await fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}${path}`, init)
    return { status: response.status, headers: response.headers, text: await response.text() }
  } finally {
    http.closeAllConnections()
    http.close()
  }
}

const echo: Bench['handle'] = async (req, res) => {
  const { host, 'x-forwarded-host': forwarded, 'x-forwarded-proto': proto } = req.headers
  res.writeHead(200).end(JSON.stringify({ url: req.url, host, forwarded: forwarded ?? null, proto }))
}

test('whatever a request says of the host, the server hears ours', async () => {
  const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' }
  const { text } = await ask({ handle: echo }, '/oauth/token?x=1', { headers })
  assert.equal(JSON.parse(text), { url: '/oauth/token?x=1', host: 'gate.example.com', forwarded: null, proto: 'https' })
})

test('unknown scopes and prompts do not get as far as the server', async () => {
  const query = async (given: string) =>
    new URL((JSON.parse((await ask({ handle: echo }, `/authorize?${given}`)).text) as { url: string }).url, 'http://x')
      .searchParams
  assert.is((await query('scope=email%20openid')).get('scope'), 'mcp openid')
  assert.is((await query('')).get('scope'), 'mcp')
  assert.is((await query('prompt=select_account')).get('prompt'), null)
  assert.is((await query('prompt=consent%20create')).get('prompt'), 'consent')
  assert.is((await query('resource=a&resource=b')).getAll('resource').length, 2, 'the rest is as it came')
})

test('a server that cannot answer is no request without an answer', async () => {
  const handle = async () => {
    throw new GatehouseError('GH_DB_UNAVAILABLE')
  }
  assert.equal(await ask({ handle }, '/oauth/jwks').then(({ status, text }) => [status, text]), [500, 'thrown'])
})

test('who asks too often is told when to come back, in the words of OAuth', async () => {
  const throttle = async (path: string) => {
    assert.is(path, '/oauth/register')
    throw new GatehouseError('GH_PAGE_RATE_LIMITED', { data: { retryAfterMs: 1_500 } })
  }
  const { status, headers, text } = await ask({ handle: echo, throttle }, '/register', { method: 'POST' })
  assert.is(status, 429)
  assert.is(headers.get('retry-after'), '2')
  assert.is((JSON.parse(text) as { error: string }).error, 'temporarily_unavailable')
})

test('what is not the server’s goes on', async () => {
  for (const path of [
    '/oauth/interaction/x',
    '/oauth/upstream/callback',
    '/oauth/client.json',
    '/mcp',
    '/api/v1/x',
    '/oauth/',
  ])
    assert.is((await ask({ handle: echo }, path)).text, 'not here', path)
  assert.is(meantPath('/mcp/a/b/.well-known/openid-configuration'), null)
  assert.is(meantPath('/.well-known/oauth-authorization-server/other'), null)
})

test.run()
