import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Idp } from '../../domain/nouns.js'
import { createMayOpen, createSignInWays } from './ways.js'

const idp = (facts: Partial<Idp>): Idp => ({
  ...{ id: '1', slug: 'acme', title: 'Acme', plugin: 'idp-oidc', config: {}, secrets: [], domains: ['example.com'] },
  ...{ role: null, groups: {}, button: true, required: false, breakGlass: [], enabled: true },
  ...{ trustDomainVerifiedEmail: false, trustAssertions: false, managedBy: 'api', createdAt: '', updatedAt: '' },
  ...facts,
})

test('people of a domain are led to its provider, in whatever case they write', async () => {
  const ways = createSignInWays(() => [idp({})])
  const found = await ways.byEmail('Ada@EXAMPLE.com')
  assert.equal(found, { url: '/auth/sso/start?idp=acme&login_hint=Ada%40EXAMPLE.com', required: false })
  for (const email of [
    'ada@sub.example.com',
    'ada@example.com.evil.example',
    'ada',
    '',
    'a@b@example.com',
    '@example.com',
  ])
    assert.is(await ways.byEmail(email), null, email)
})

test('a disabled provider has no button, leads nobody and is required of nobody', async () => {
  const ways = createSignInWays(() => [idp({ enabled: false, required: true }), idp({ button: false })])
  assert.equal(await ways.buttons(), [])
  createMayOpen(() => [idp({ enabled: false, required: true })])('ada@example.com', 'password')
})

test('no method of ours opens a session for people of a required provider', () => {
  const mayOpen = createMayOpen(() => [idp({ required: true, breakGlass: ['glass@example.com'] })])
  for (const method of ['password', 'passkey', 'code', 'invite'] as const) {
    assert.throws(() => mayOpen('ADA@example.com', method), /You sign in with Acme/)
    mayOpen('glass@example.com', method)
    mayOpen('bob@else.example', method)
  }
  mayOpen('ada@example.com', 'sso')
  mayOpen('ada@example.com', 'setup')
})

test.run()
