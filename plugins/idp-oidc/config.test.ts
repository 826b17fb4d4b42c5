import { parseStrictly } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Provider, settle } from './config.js'
import { PRESETS } from './presets.js'

const problem = (given: object): string => {
  const parsed = parseStrictly(Provider, { clientId: 'c', ...given })
  return parsed.ok ? 'none' : parsed.problem
}
const TENANT = '00000000-0000-4000-8000-000000000001'

test('each preset takes an issuer of its own and refuses what people paste by mistake', () => {
  const good: Readonly<Record<string, readonly string[]>> = {
    okta: ['https://acme.okta.com', 'https://acme.okta.com/oauth2/default', 'https://id.acme.com'],
    entra: [`https://login.microsoftonline.com/${TENANT}/v2.0`, `https://login.microsoftonline.us/${TENANT}/v2.0`],
    google: ['https://accounts.google.com'],
    auth0: ['https://acme.eu.auth0.com/'],
    keycloak: ['https://id.acme.com/realms/acme', 'http://localhost:8080/realms/acme'],
    jumpcloud: ['https://oauth.id.jumpcloud.com/'],
    onelogin: ['https://acme.onelogin.com/oidc/2'],
    ping: [`https://auth.pingone.eu/${TENANT}/as`],
  }
  assert.equal(Object.keys(good).toSorted(), Object.keys(PRESETS).toSorted())
  for (const [preset, issuers] of Object.entries(good))
    for (const issuer of issuers) assert.is(problem({ preset, issuer }), 'none', issuer)
  for (const [preset, issuer] of [
    ['okta', 'https://acme-admin.okta.com'],
    ['entra', 'https://login.microsoftonline.com/common/v2.0'],
    ['entra', `https://sts.windows.net/${TENANT}/`],
    ['google', 'https://accounts.google.com/'],
    ['auth0', 'https://acme.eu.auth0.com'],
    ['keycloak', 'https://id.acme.com'],
    ['onelogin', 'https://acme.onelogin.com'],
    ['ping', `https://auth.pingone.eu/${TENANT}/as/`],
  ])
    assert.match(problem({ preset, issuer }), /^config\.issuer: (must be like|of this preset is)/, issuer)
})

test('an issuer is https, save on this machine, and nothing but a place', () => {
  assert.is(problem({ issuer: 'http://127.0.0.1:3000' }), 'none')
  assert.match(problem({ issuer: 'http://id.example.com' }), 'must be https')
  assert.match(problem({ issuer: 'https://user:x@id.example.com' }), 'no user, query or fragment')
  assert.match(problem({ issuer: 'https://id.example.com?x=1' }), 'no user, query or fragment')
  assert.match(problem({}), 'config.issuer: is needed')
})

test('a key that is not known is refused, and one of another preset', () => {
  assert.match(problem({ issuer: 'https://id.example.com', clientID: 'c' }), /unrecognized/i)
  assert.match(problem({ issuer: 'https://id.example.com', hostedDomain: 'example.com' }), 'of the preset google alone')
  assert.match(problem({ issuer: 'https://id.example.com', scopes: ['a b'] }), 'is not a scope')
})

test('what is left out comes from the preset; openid is always asked for', () => {
  const okta = settle({ preset: 'okta', issuer: 'https://acme.okta.com', clientId: 'c' })
  assert.equal([okta.scope, okta.groupsClaim], ['openid profile email groups', 'groups'])
  const own = settle({ issuer: 'https://id.example.com', clientId: 'c', scopes: ['email'], groupsClaim: 'roles' })
  assert.equal([own.scope, own.groupsClaim, own.clientSecret], ['openid email', 'roles', null])
  assert.is(settle({ preset: 'google', clientId: 'c' }).issuer, 'https://accounts.google.com')
})

test.run()
