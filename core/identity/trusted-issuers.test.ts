import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import type { IdpDescription } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Idp } from '../domain/nouns.js'
import { createTrustedIssuers } from './trusted-issuers.js'

const ISSUER = 'https://id.example.com'
const idp = (facts: Partial<Idp>): Idp => ({
  ...{ id: '1', slug: 'acme', title: 'Acme', plugin: 'idp-oidc', config: { issuer: ISSUER }, secrets: [] },
  ...{ domains: [], role: null, groups: {}, button: true, required: false, breakGlass: [], enabled: true },
  ...{ trustDomainVerifiedEmail: false, trustAssertions: true, managedBy: 'api', createdAt: '', updatedAt: '1' },
  ...facts,
})
const { privateKey, publicKey } = await generateKeyPair('ES256')
const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] }

function scene(idps: readonly Idp[], said: Partial<Extract<IdpDescription, { ok: true }>> | null = {}) {
  let asked = 0
  const ok = { ok: true, issuer: ISSUER, jwksUri: `${ISSUER}/jwks`, backchannelLogout: false, endSession: false }
  const issuers = createTrustedIssuers({
    idps: () => idps,
    describe: async () => {
      asked += 1
      if (said === null) return { ok: false, failure: 'unavailable', reason: 'away' }
      return { ...ok, notes: [], ...said } as IdpDescription
    },
    links: {
      find: async (issuer, subject) =>
        issuer === ISSUER && subject === 'ada' ? { issuer, subject, userId: 'u1', idpId: '1' } : null,
    },
    fetch: async () => Response.json(keys),
  })
  return { issuers, asked: () => asked }
}

test('an issuer that is trusted has its keys, and is asked once for them', async () => {
  const { issuers, asked } = scene([idp({})])
  const found = await issuers.find(ISSUER)
  const jwt = await new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey)
  assert.is((await jwtVerify(jwt, found!.keys)).payload.sub, 'ada')
  await issuers.find(ISSUER)
  assert.is(asked(), 1)
})

test('one provider does not vouch for the people of another with the same issuer', async () => {
  const first = await scene([idp({})]).issuers.find(ISSUER)
  const second = await scene([idp({ trustAssertions: false }), idp({ id: '2', slug: 'b' })]).issuers.find(ISSUER)
  assert.equal([await first!.userOf('ada'), await second!.userOf('ada')], ['u1', null])
})

test('one that is not trusted, is disabled or says it is another is none', async () => {
  for (const facts of [{ trustAssertions: false }, { enabled: false }])
    assert.is(await scene([idp(facts)]).issuers.find(ISSUER), null)
  assert.is(await scene([idp({})]).issuers.find('https://evil.example'), null)
  assert.is(await scene([idp({ config: {} })], { issuer: 'https://other.example' }).issuers.find(ISSUER), null)
})

test('one that cannot be asked is a failure, not a no, and is asked again', async () => {
  const { issuers, asked } = scene([idp({})], null)
  for (let n = 0; n < 2; n++) {
    const thrown = await issuers.find(ISSUER).catch((error: unknown) => error)
    assert.instance(thrown, Error)
  }
  assert.is(asked(), 2)
})

test('a person is known by issuer and subject together', async () => {
  const found = await scene([idp({})]).issuers.find(ISSUER)
  assert.is(await found!.userOf('ada'), 'u1')
  assert.is(await found!.userOf('bob'), null)
})

test.run()
