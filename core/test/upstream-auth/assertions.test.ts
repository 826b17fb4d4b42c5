import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serverDraft } from '../../db/testing.js'
import { createAssertions } from '../../oauth/client/assertions.js'
import { outcomeOf } from '../../oauth/client/outcome.js'
import { createMemoryStore } from '../memory-store.js'
import { startGuardedServer } from './guarded-server.js'
import type { GuardedOptions } from './guarded-server.js'
import { read } from './sign-in-server.js'

/** Something that answers token requests, and says where. */
async function tokenServer(
  answer: (form: URLSearchParams, authorization: string | undefined) => Promise<[number, object]>,
) {
  const asked: URLSearchParams[] = []
  const http = createServer(async (req, res) => {
    res.setHeader('content-type', 'application/json')
    if (req.method === 'GET')
      return void res.end(
        JSON.stringify({
          issuer: url,
          authorization_endpoint: `${url}/auth`,
          token_endpoint: `${url}/token`,
          response_types_supported: ['code'],
          token_endpoint_auth_methods_supported: ['client_secret_basic'],
        }),
      )
    const form = new URLSearchParams(await read(req))
    asked.push(form)
    const [status, body] = await answer(form, req.headers.authorization)
    res.writeHead(status).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const stop = () => new Promise((resolve) => (http.closeAllConnections(), http.close(resolve)))
  return { url, asked, stop }
}

/** A provider that knows Mia, a sign-in that believes it, and a server behind that. */
async function scene(guardedAs: Partial<GuardedOptions> = {}) {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] })
  const sign = (claims: Record<string, string>, typ: string) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ }).setIssuedAt().setExpirationTime('5m').sign(privateKey)
  const idToken = await sign({ sub: 'mia' }, 'JWT')
  const idp = await tokenServer(async (form) => {
    if (form.get('subject_token') !== idToken) return [400, { error: 'invalid_grant' }]
    const claims = {
      sub: 'mia',
      aud: form.get('audience') ?? '',
      resource: form.get('resource') ?? '',
      client_id: 'at-as',
    }
    return [
      200,
      {
        access_token: await sign(claims, 'oauth-id-jag+jwt'),
        issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
        token_type: 'N_A',
      },
    ]
  })
  const issued = new Map<string, { sub: string; scope: string; aud: unknown }>()
  const signIn = await tokenServer(async (form, authorization) => {
    if (Buffer.from(authorization?.slice(6) ?? '', 'base64').toString() !== 'at-as:as-secret')
      return [401, { error: 'invalid_client' }]
    const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', keys, { audience: signIn.url })
    if (protectedHeader.typ !== 'oauth-id-jag+jwt') return [400, { error: 'invalid_grant' }]
    const token = `token-${issued.size}`
    issued.set(token, { sub: payload.sub ?? '', scope: 'read', aud: payload['resource'] })
    return [200, { access_token: token, token_type: 'Bearer', expires_in: 600 }]
  })
  const guarded = await startGuardedServer({
    signIn: { issuer: signIn.url, introspect: async (token) => issued.get(token) ?? null },
    ...guardedAs,
  })
  const store = createMemoryStore()
  const oauth = { clientId: 'at-as', issuer: null, scope: null, assertion: true }
  const server = await store.servers.insert({ ...serverDraft('crm'), url: guarded.url, auth: 'oauth', oauth })
  const vouching = { idToken, issuer: idp.url, clientId: 'at-idp', clientSecret: 'idp-secret' }
  const obtain = createAssertions({
    vouchingOf: async (userId) =>
      userId === 'mia' ? vouching : userId === 'old' ? { ...vouching, idToken: 'x' } : null,
    secretOf: async () => 'as-secret',
    challengeOf: async () => null,
    fetch,
  })
  const stop = () => Promise.all([idp.stop(), signIn.stop(), guarded.stop()])
  return { idp, signIn, guarded, server, obtain, issued, stop }
}

test('a person whom their provider vouches for has access without being asked, as themselves', async () => {
  const { idp, signIn, guarded, server, obtain, issued, stop } = await scene()
  const granted = await obtain(server, 'mia', null)
  assert.is(issued.get(granted?.tokens.access ?? '')?.sub, 'mia')
  assert.is(issued.get(granted?.tokens.access ?? '')?.aud, guarded.url)
  assert.equal([granted?.tokens.refresh, granted?.tokens.assertion, granted?.issuer], [null, true, signIn.url])
  assert.equal(
    ['audience', 'resource', 'client_id', 'scope'].map((name) => idp.asked[0]?.get(name)),
    [signIn.url, guarded.url, 'at-idp', 'read'],
  )
  assert.not.match(String(signIn.asked[0]), 'idp-secret')
  assert.not.match(JSON.stringify(granted), 'secret')
  await stop()
})

test('whom nobody vouches for gets nothing, and a provider that takes its word back needs a person', async () => {
  const { server, obtain, signIn, stop } = await scene()
  assert.is(await obtain(server, 'max', null), null)
  assert.is(await obtain({ ...server, oauth: { ...server.oauth!, assertion: false } }, 'mia', null), null)
  const error = await obtain(server, 'old', null).catch((thrown: unknown) => thrown)
  assert.is(outcomeOf(error).kind, 'dead')
  const other = { ...server, oauth: { ...server.oauth!, issuer: 'https://as.example.com' } }
  assert.match(String(await obtain(other, 'mia', null).catch((thrown: unknown) => thrown)), 'another sign-in')
  assert.is(signIn.asked.length, 0)
  await stop()
})

test('a server that names another one as its resource gets no token for that one', async () => {
  const other = 'https://payroll.example.com/mcp'
  const metadata = () => ({ status: 200, body: { resource: other, authorization_servers: [signIn.url] } })
  const { server, obtain, idp, signIn, issued, stop } = await scene({ metadata })
  const thrown = await obtain(server, 'mia', null).catch((error: unknown) => error)
  await stop()
  assert.instance(thrown, Error)
  assert.equal([idp.asked.length, issued.size], [0, 0])
})

test.run()
