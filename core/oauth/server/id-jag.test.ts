import { createHash, randomUUID } from 'node:crypto'
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { JWT_BEARER } from './client-metadata.js'
import { serverBench } from './testing.js'

const IDP = 'https://idp.example'
const keys = await generateKeyPair('ES256')
const others = await generateKeyPair('ES256')
const jwks = createLocalJWKSet({ keys: [{ ...(await exportJWK(keys.publicKey)), alg: 'ES256' }] })
let known = ''
const bench = await serverBench({
  find: async (issuer) =>
    issuer === IDP ? { keys: jwks, userOf: async (sub) => (sub === 'ann' ? known : null) } : null,
})
known = bench.user.id
test.after(() => bench.stop())
const { url, own, foreign, user } = bench
const { client, secret } = await bench.clients.add({
  name: 'Agent',
  redirectUris: [],
  confidential: true,
  assertions: true,
})
const resource = `${url}/mcp/own`

interface Bent {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly typ?: string
  readonly key?: typeof keys.privateKey
  readonly exp?: number
}
const now = () => Math.floor(Date.now() / 1000)

function assertion({ claims = {}, typ = 'oauth-id-jag+jwt', key = keys.privateKey, exp = now() + 300 }: Bent = {}) {
  const whole = {
    iss: IDP,
    aud: url,
    sub: 'ann',
    jti: randomUUID(),
    client_id: client.clientId,
    resource,
    scope: 'mcp',
    ...claims,
  }
  const given = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined))
  return new SignJWT(given as JWTPayload)
    .setProtectedHeader({ alg: 'ES256', typ })
    .setIssuedAt()
    .setExpirationTime(exp)
    .sign(key)
}

/** What the token endpoint answers (RFC 6749, sections 5.1 and 5.2), as far as it is looked at here. */
interface Answered {
  readonly access_token: string
  readonly refresh_token?: string
  readonly expires_in: number
  readonly scope: string
  readonly error?: string
}

async function ask(text: string, more: Readonly<Record<string, string>> = {}, basic = `${client.clientId}:${secret}`) {
  const response = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(basic)}` },
    body: new URLSearchParams({ grant_type: JWT_BEARER, assertion: text, ...more }),
  })
  return { status: response.status, json: (await response.json()) as Answered }
}

test('who an identity provider vouches for gets a short token for the gateway that it names', async () => {
  const { status, json } = await ask(await assertion())
  assert.is(status, 200, JSON.stringify(json))
  assert.is(json.expires_in, 600)
  assert.is(json.refresh_token, undefined)
  assert.is(json.scope, 'mcp')
  const holder = await bench.holderOf(createHash('sha256').update(json.access_token).digest('hex'))
  assert.is(holder?.userId, user.id)
  assert.is(holder?.gatewayId, own.id)
  assert.is(holder?.hostName, 'Agent')
  assert.is(holder?.picker, false)
  assert.ok((holder?.expiresAt ?? 0) <= Date.now() + 601_000)
  assert.is(
    (await ask(await assertion(), { resource: `${resource}/` })).status,
    200,
    'and once more, on the same connection',
  )
  const connections = await bench.store.connections.find(holder?.connectionId ?? '')
  assert.ok(connections)
})

test('an assertion is good once', async () => {
  const text = await assertion()
  assert.is((await ask(text)).status, 200)
  const again = await ask(text)
  assert.is(again.json.error, 'invalid_grant')
  assert.match(bench.refused.at(-1)?.reason ?? '', 'used already')
  assert.not.match(bench.refused.at(-1)?.reason ?? '', text.slice(0, 30))
})

const BENT: readonly (readonly [string, Bent, string])[] = [
  ['another audience', { claims: { aud: 'https://other.example' } }, 'invalid_grant'],
  ['another type', { typ: 'JWT' }, 'invalid_grant'],
  ['another client', { claims: { client_id: 'client_x' } }, 'invalid_grant'],
  ['an issuer that nobody trusts', { claims: { iss: 'https://evil.example' } }, 'invalid_grant'],
  ['a key of somebody else', { key: others.privateKey }, 'invalid_grant'],
  ['an hour that is over', { exp: now() - 60 }, 'invalid_grant'],
  ['a subject that is nobody', { claims: { sub: 'mallory' } }, 'invalid_grant'],
  ['no jti', { claims: { jti: undefined } }, 'invalid_grant'],
  ['a time that is not yet', { claims: { nbf: now() + 600 } }, 'invalid_grant'],
  ['a gateway that the person does not reach', { claims: { resource: `${url}/mcp/foreign` } }, 'invalid_grant'],
  ['no gateway at all', { claims: { resource: `${url}/mcp` } }, 'invalid_target'],
  ['a resource that is not ours', { claims: { resource: 'https://other.example/mcp' } }, 'invalid_target'],
  ['a scope that nobody knows', { claims: { scope: 'admin' } }, 'invalid_scope'],
]
for (const [what, bent, error] of BENT)
  test(`an assertion with ${what} is refused`, async () => {
    const { status, json } = await ask(await assertion(bent))
    assert.is(status, 400)
    assert.is(json.error, error)
  })

test('rubbish and an unsigned assertion are refused', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const unsigned = `${part({ alg: 'none', typ: 'oauth-id-jag+jwt' })}.${part({ iss: IDP, sub: 'ann' })}.`
  for (const text of ['x', unsigned]) assert.is((await ask(text)).json.error, 'invalid_grant')
})

test('the parameter can only repeat what the assertion says', async () => {
  const { json } = await ask(await assertion(), { resource: `${url}/mcp/${foreign.slug}` })
  assert.is(json.error, 'invalid_target')
})

test('only clients that an administrator made so may come with assertions', async () => {
  const plain = await bench.clients.add({
    name: 'Plain',
    redirectUris: ['https://a.example/cb'],
    confidential: true,
    assertions: false,
  })
  const text = await assertion({ claims: { client_id: plain.client.clientId } })
  assert.is((await ask(text, {}, `${plain.client.clientId}:${plain.secret}`)).status, 400)
  assert.is((await ask(await assertion(), {}, `${client.clientId}:wrong`)).json.error, 'invalid_client')
})

test('who is disabled, or whose client is, gets nothing', async () => {
  await bench.store.users.update(user.id, { enabled: false })
  assert.is((await ask(await assertion())).json.error, 'invalid_grant')
  await bench.store.users.update(user.id, { enabled: true })
  const host = await bench.store.hosts.byKey('agent')
  await bench.store.hosts.update(host?.id ?? '', { enabled: false })
  assert.is((await ask(await assertion())).json.error, 'invalid_grant')
})

test('a client that is removed takes its tokens along', async () => {
  const made = await bench.clients.add({ name: 'Gone', redirectUris: [], confidential: true, assertions: true })
  const { json } = await ask(
    await assertion({ claims: { client_id: made.client.clientId } }),
    {},
    `${made.client.clientId}:${made.secret}`,
  )
  const hash = createHash('sha256').update(json.access_token).digest('hex')
  assert.ok(await bench.holderOf(hash))
  await bench.clients.remove(made.client.clientId)
  assert.is(await bench.holderOf(hash), null)
})

test.run()
