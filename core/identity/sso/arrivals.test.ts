import type { IdpPerson } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createIdp } from '../../configuration/nouns/idps.js'
import { configurationBench, refusalOf } from '../../test/configuration.js'
import { createArrivals } from './arrivals.js'

const ISSUER = 'https://id.example.com'
const ADA: IdpPerson = {
  ...{ ok: true, issuer: ISSUER, subject: 'ada', email: 'ada@acme.example', emailVerified: true, name: 'Ada' },
  ...{ groups: null, claims: {}, session: null, idToken: null, expiresAt: null },
}

test('a provider with the issuer of another one does not let in the people of that', async () => {
  const { mutations, admin, store } = await configurationBench()
  const make = (slug: string, more: object) =>
    mutations.change(admin, (work) =>
      createIdp(work, slug, { plugin: 'idp-oidc', issuer: ISSUER, clientId: slug, ...more } as never),
    )
  const strict = await make('strict', { domains: ['acme.example'] })
  const lax = await make('lax', { domains: ['lax.example'] })
  const arrivals = createArrivals({
    store,
    change: (work) => mutations.change(admin, ({ store: inside }) => work(inside)),
  })
  const first = await arrivals.arrive(strict, ADA, null)
  assert.is(first.kind, 'in')
  assert.equal(await arrivals.arrive(strict, ADA, null), first)
  assert.is((await refusalOf(arrivals.arrive(lax, ADA, null))).code, 'GH_SSO_REFUSED')
  assert.is((await refusalOf(arrivals.arrive(lax, ADA, first.userId))).code, 'GH_SSO_REFUSED')
})

test.run()
