import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { createMemoryStore } from '../memory-store.js'
import { serverDraft } from '../../db/testing.js'
import { ourDocument } from '../../oauth/client/our-client.js'
import { createSignIn } from '../../oauth/client/sign-in.js'
import type { StoredTrip } from '../../oauth/client/sign-in.js'
import { startGateway } from '../gateway.js'
import { callTool, textOf } from './calls.js'
import { startGuardedServer } from './guarded-server.js'
import { freePort } from '../real-servers.js'
import { openHouse } from './house.js'
import { personOf, stranger } from './person.js'
import { startSignInServer } from './sign-in-server.js'

/** A server that tells as whom it was called, by its headers. */
async function keyedServer() {
  const seen: IncomingHttpHeaders[] = []
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'keyed', version: '1.0.0' })
    const key = String(seen.at(-1)?.['x-key'])
    server.registerTool('whoami', { inputSchema: z.object({}) }, async () => ({
      content: [{ type: 'text', text: key }],
    }))
    return server
  })
  const mcp = toNodeHandler(handler)
  const http = createServer((req, res) => {
    seen.push(req.headers)
    if (req.headers['x-key'] === 'revoked') return void res.writeHead(401).end()
    void mcp(req as Parameters<typeof mcp>[0], res)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    seen,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    stop: async () => {
      http.closeAllConnections()
      await Promise.all([handler.close(), new Promise((resolve) => http.close(resolve))])
    },
  }
}

test('header values of two people are two people upstream; a new value holds at the next call', async () => {
  const keyed = await keyedServer()
  const gateway = await startGateway({
    yaml: `
version: 1
users: { mia@example.com: {}, max@example.com: {} }
teams: { crew: { members: [mia@example.com, max@example.com] } }
servers: { search: { url: "${keyed.url}", auth: { headers: [X-Key] } } }
gateways: { office: { teams: [crew], servers: [{ server: search, identity: per-user }] } }
hosts: { bot: { kind: token } }
`,
  })
  const page = `${gateway.url}/connect/identity/office/search`
  const of = async (name: string) => ({
    person: await personOf(gateway, `${name}@example.com`),
    access: await gateway.mintToken({ gateway: 'office', host: 'bot', user: `${name}@example.com` }),
  })
  const [mia, max] = [await of('mia'), await of('max')]
  const give = async ({ person }: typeof mia, value: string) => {
    const shown = await person.submit(await person.get(page), { 'header.X-Key': value })
    assert.match(shown.text, 'Connected.')
    assert.not.match(shown.text, value)
  }
  await give(mia, 'key-of-mia')
  await give(max, 'key-of-max')
  assert.is(textOf(await callTool(mia.access, 'whoami').then(() => callTool(mia.access, 'whoami'))), 'key-of-mia')
  assert.is(textOf(await callTool(max.access, 'whoami')), 'key-of-max')
  await give(mia, 'revoked')
  const { error } = (await callTool(mia.access, 'whoami')).json
  assert.equal([error.data.reason, error.data.url], ['connect_required', page])
  assert.is(textOf(await callTool(max.access, 'whoami')), 'key-of-max', 'the others go on')
  await give(mia, 'new-key-of-mia')
  assert.is(textOf(await callTool(mia.access, 'whoami')), 'new-key-of-mia')
  await gateway.stop()
  await keyed.stop()
})

test('a client that an administrator registered is used, with its secret, and nothing is registered', async () => {
  const port = await freePort()
  const redirect = `http://localhost:${port}/oauth/upstream/callback`
  const client = { client_id: 'gate', client_secret: 'the-client-secret', redirect_uris: [redirect] }
  const house = await openHouse({
    registration: false,
    clients: [{ ...client, application_type: 'native', grant_types: ['authorization_code', 'refresh_token'] }],
    auth: () => '{ oauth: { clientId: gate, clientSecret: "${env:GATE_SECRET}" } }',
    env: { GATE_SECRET: 'the-client-secret', PORT: String(port) },
  })
  await house.connect(await house.person('mia'), 'upstream-mia')
  const access = await house.access('mia')
  await callTool(access, 'whoami')
  assert.is(textOf(await callTool(access, 'whoami')), 'upstream-mia')
  const [{ authorization } = { authorization: '' }] = house.signIn.asked
  assert.is(Buffer.from((authorization ?? '').slice(6), 'base64').toString(), 'gate:the-client-secret')
  assert.not.match(JSON.stringify(await house.gateway.api('GET', '/servers')), 'the-client-secret')
  await house.stop()
})

test('where clients are looked up we are known by our document, and have no secret', async () => {
  const base = 'https://gate.acme.com'
  const signIn = await startSignInServer({ registration: false, cimd: true, document: () => ourDocument(base) })
  const guarded = await startGuardedServer({ signIn })
  const store = createMemoryStore()
  const server = await store.servers.insert({ ...serverDraft('crm'), url: guarded.url, auth: 'oauth' })
  const kept: StoredTrip[] = []
  const flow = createSignIn({
    store,
    trips: { put: async (_, { payload }) => void kept.push(payload) },
    challengeOf: async () => null,
    fetch,
    base: () => base,
    onFault: (_, fault) => console.error(fault),
  })
  const departure = { server, identityId: null, userId: 'u', sessionHash: 's', returnTo: '/', wanted: null }
  const back = new URL(await stranger().follow(await flow.begin(departure), `${base}/`))
  const { tokens } = await flow.finish(kept[0]!, server, {
    code: back.searchParams.get('code') ?? '',
    iss: back.searchParams.get('iss') ?? undefined,
  })
  assert.equal(tokens.client, { client_id: `${base}/oauth/client.json` })
  assert.ok(await signIn.introspect(tokens.access))
  await Promise.all([signIn.stop(), guarded.stop()])
})

test("the secret of an administrator's client goes to no other sign-in than the one it is for", async () => {
  const house = await openHouse({
    auth: () => '{ oauth: { clientId: gate, clientSecret: "${env:GATE_SECRET}", issuer: "https://as.example.com" } }',
    env: { GATE_SECRET: 'the-client-secret' },
  })
  const mia = await house.person('mia')
  const shown = await mia.submit(await mia.get(house.page))
  assert.match(shown.text, 'names another sign-in')
  assert.equal([house.signIn.asked.length, house.signIn.registered.length], [0, 0])
  await house.stop()
})

test.run()
