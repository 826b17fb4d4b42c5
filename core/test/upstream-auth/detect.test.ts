import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDetect } from '../../http/connect/detect.js'
import { startFakeServer } from './fakes.js'
import { startGateway } from '../gateway.js'
import { startGuardedServer } from './guarded-server.js'
import { startSignInServer } from './sign-in-server.js'

const gateway = await startGateway()
const ends: (() => Promise<unknown>)[] = [gateway.stop]
test.after(async () => {
  for (const end of ends) await end()
})

const detect = async (url: string) =>
  (await gateway.api('POST', '/servers/detect', { url })) as { detected: string; issuer: string | null; next: string }

async function guarded(options: Parameters<typeof startSignInServer>[0]) {
  const signIn = await startSignInServer(options)
  const server = await startGuardedServer({ signIn })
  ends.push(server.stop, signIn.stop)
  return { signIn, server }
}

async function plain(handler: RequestListener): Promise<string> {
  const http = createServer(handler)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  ends.push(() => new Promise((resolve) => (http.closeAllConnections(), http.close(resolve))))
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`
}

test('a server that takes anybody is open', async () => {
  assert.is((await detect(`${gateway.url}/docs/mcp`)).detected, 'open')
})

test('one whose sign-in registers clients needs nothing of an administrator', async () => {
  const { server, signIn } = await guarded({ registration: true })
  const found = await detect(server.url)
  assert.equal([found.detected, found.issuer], ['oauth_dcr', signIn.issuer])
  assert.is(signIn.registered.length, 0, 'finding out registers nobody')
})

test('one whose sign-in registers nobody says where to register, with the callback', async () => {
  const { server, signIn } = await guarded({ registration: false })
  const found = await detect(server.url)
  assert.equal([found.detected, found.issuer], ['oauth_preregistered', signIn.issuer])
  assert.match(found.next, `${gateway.url}/oauth/upstream/callback`)
})

test('one whose sign-in looks clients up gets our document, but only where it can be looked up', async () => {
  const { server, signIn } = await guarded({ registration: true })
  const withCimd = async (...[input, init]: Parameters<typeof fetch>) => {
    const answer = await fetch(input, init)
    if (!String(input).includes(signIn.issuer)) return answer
    return Response.json({ ...((await answer.json()) as object), client_id_metadata_document_supported: true })
  }
  const at = (base: string) =>
    createDetect({
      check: async () => undefined,
      probe: async () => ({ kind: 'refused', httpStatus: 401, challenge: null }),
      fetch: withCimd,
      base: () => base,
    })(server.url)
  assert.is((await at('https://gate.acme.com')).detected, 'oauth_cimd')
  for (const hidden of ['http://localhost:4000', 'https://10.0.0.1', 'https://gate.internal', 'https://localhost'])
    assert.is((await at(hidden)).detected, 'oauth_dcr', hidden)
})

test('one that wants a credential and names no sign-in wants headers', async () => {
  assert.is((await detect(await plain((_, res) => void res.writeHead(401).end()))).detected, 'header_token')
})

test('what speaks no MCP, what is not there and what may not be called are told apart', async () => {
  const page = await plain((_, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<html>'))
  assert.is((await detect(page)).detected, 'unsupported_transport')
  assert.is((await detect('http://127.0.0.1:9/mcp')).detected, 'unreachable')
  try {
    await detect('http://169.254.169.254/latest')
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), 'GH_EGRESS_REFUSED')
  }
})

test('a sign-in that is somewhere else than where it says is none', async () => {
  const elsewhere = await startFakeServer((own) => ({ issuer: 'https://bank.example.com', token_endpoint: `${own}/t` }))
  ends.push(elsewhere.stop)
  const { signIn } = await guarded({})
  const server = await startGuardedServer({
    signIn,
    metadata: (own) => ({ status: 200, body: { resource: `${own}/mcp`, authorization_servers: [elsewhere.url] } }),
  })
  ends.push(server.stop)
  assert.is((await detect(server.url)).detected, 'header_token')
})

test.run()
