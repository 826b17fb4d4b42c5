import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configurationBench, refusalOf } from '../test/configuration.js'
import { exportFile } from './export.js'
import { createIdp, idpConfig, removeIdp, untiePerson, updateIdp } from './nouns/idps.js'
import { createRole, createTeam, createUser, removeTeam } from './nouns/people.js'
import type { Work } from './work.js'

const OKTA = { plugin: 'idp-oidc', issuer: 'https://acme.okta.com', clientId: 'c', clientSecret: 's1' }
const MAPPER = ['manageSsoScimMapping', 'authenticateViaOauth']

async function bench(capabilities = ['*']) {
  const it = await configurationBench()
  const actor = await it.as(capabilities)
  const change = <T>(work: (work: Work) => Promise<T>) => it.mutations.change(actor, work)
  const setUp = <T>(work: (work: Work) => Promise<T>) => it.mutations.change(it.admin, work)
  return { ...it, change, setUp, refused: (work: (work: Work) => Promise<unknown>) => refusalOf(change(work)) }
}

test('its secret is sealed apart, kept through other changes, and goes with it', async () => {
  const { change, store } = await bench()
  const made = await change((work) => createIdp(work, 'okta', OKTA))
  assert.equal(made.secrets, ['clientSecret'])
  assert.equal(made.config, { issuer: OKTA.issuer, clientId: 'c' })
  const changed = await change((work) => updateIdp(work, 'okta', { title: 'Okta', clientId: 'd' }))
  assert.is((await idpConfig({ store }, changed))['clientSecret'], 's1')
  await change((work) => updateIdp(work, 'okta', { clientSecret: 's2' }))
  assert.equal(await store.secrets.fields({ kind: 'idp', id: made.id }), { 'config.clientSecret': 's2' })
  await change((work) => updateIdp(work, 'okta', { clientSecret: null }))
  assert.equal(await store.secrets.fields({ kind: 'idp', id: made.id }), {})
  await change((work) => removeIdp(work, 'okta'))
  assert.is(await store.idps.byKey('okta'), null)
})

test('a stored secret does not follow to another issuer', async () => {
  const { change, refused, store } = await bench()
  await change((work) => createIdp(work, 'okta', OKTA))
  const moved = await refused((work) => updateIdp(work, 'okta', { issuer: 'https://evil.example' }))
  assert.is(moved.data?.['field'], 'clientSecret')
  const stays = await change((work) => updateIdp(work, 'okta', { issuer: 'https://acme.okta.com/oauth2/default' }))
  assert.is((await idpConfig({ store }, stays))['clientSecret'], 's1')
  await change((work) => updateIdp(work, 'okta', { issuer: 'https://new.example', clientSecret: 's3' }))
})

test('a secret that its plugin calls by another name is neither exported nor moved', async () => {
  const { mutations, admin, store } = await configurationBench({ checks: { idpSecrets: () => ['pem'] } })
  const change = <T>(work: (work: Work) => Promise<T>) => mutations.change(admin, work)
  await change((work) => createIdp(work, 'a', { plugin: 'idp-oidc', issuer: OKTA.issuer, pem: 's3cr3t-key' }))
  const text = await exportFile(store)
  assert.not.match(text, 's3cr3t-key')
  assert.match(text, 'pem: ${env:A_PEM}')
  const moved = await refusalOf(change((work) => updateIdp(work, 'a', { issuer: 'https://evil.example' })))
  assert.is(moved.data?.['field'], 'pem')
})

test('a domain belongs to one provider', async () => {
  const { change, refused } = await bench()
  await change((work) => createIdp(work, 'a', { ...OKTA, domains: ['example.com', 'example.org'] }))
  await change((work) => createIdp(work, 'b', OKTA))
  const error = await refused((work) => updateIdp(work, 'b', { domains: ['example.net', 'example.org'] }))
  assert.equal([error.code, error.data?.['field']], ['GH_API_CONFLICT', 'domains[1]'])
})

test('no provider makes super admins, nor anybody who holds more than whoever set it up', async () => {
  const root = await bench()
  const error = await root.refused((work) => createIdp(work, 'a', { ...OKTA, role: 'super-admin' }))
  assert.is(error.data?.['field'], 'role')
  const mapper = await bench(MAPPER)
  await mapper.setUp((work) => createRole(work, 'auditor', { capabilities: ['viewAndExportLogs'] }))
  const more = await mapper.refused((work) => createIdp(work, 'a', { ...OKTA, role: 'auditor' }))
  assert.is(more.code, 'GH_API_FORBIDDEN')
  await mapper.change((work) => createIdp(work, 'a', { ...OKTA, role: 'member' }))
})

test('whoever holds less than the people of a domain does not say how they are recognised', async () => {
  const { setUp, change, refused, store } = await bench(MAPPER)
  await setUp((work) => createUser(work, 'ann@acme.example', { role: 'administrator' }))
  assert.is(
    (await refused((work) => createIdp(work, 'a', { ...OKTA, domains: ['acme.example'] }))).code,
    'GH_API_FORBIDDEN',
  )
  const { id } = await change((work) => createIdp(work, 'a', { ...OKTA, domains: ['other.example'] }))
  // Linked, they are in its reach wherever their address is; so is a super admin then.
  const boss = await setUp((work) => createUser(work, 'boss@far.example', { role: 'super-admin' }))
  await change((work) => updateIdp(work, 'a', { title: 'A' }))
  await store.idpLinks.put({ issuer: OKTA.issuer, subject: '1', userId: boss.id, idpId: id })
  const reached = await refused((work) => updateIdp(work, 'a', { issuer: 'https://evil.example', clientSecret: 'x' }))
  assert.is(reached.code, 'GH_API_FORBIDDEN')
  assert.is((await refused((work) => untiePerson(work, 'a', 'boss@far.example'))).code, 'GH_API_FORBIDDEN')
  // To remove it would end their sessions, and open the other ways in to those for whom it is required.
  assert.is((await refused((work) => removeIdp(work, 'a'))).code, 'GH_API_FORBIDDEN')
  await setUp((work) => untiePerson(work, 'a', 'boss@far.example'))
  assert.is(await store.idpLinks.find(OKTA.issuer, '1'), null)
})

test('groups are mapped to teams that are there, and such a team stays', async () => {
  const { change, refused, store } = await bench()
  await change((work) => createTeam(work, 'engineering', {}))
  const error = await refused((work) => createIdp(work, 'a', { ...OKTA, groups: { eng: 'sales' } }))
  assert.is(error.data?.['field'], 'groups.eng')
  await change((work) => createIdp(work, 'a', { ...OKTA, groups: { eng: 'Engineering'.toLowerCase() } }))
  assert.is((await refused((work) => removeTeam(work, 'engineering'))).code, 'GH_API_CONFLICT')
  await change((work) => updateIdp(work, 'a', { groups: {} }))
  await change((work) => removeTeam(work, 'engineering'))
  assert.equal(await store.teams.all(), [])
})

test('what its plugin does not take is refused, and an address that may not be called', async () => {
  const { refused } = await bench()
  const noPlugin = await refused((work) => createIdp(work, 'a', { ...OKTA, plugin: 'idp-saml' }))
  assert.is(noPlugin.data?.['field'], 'plugin')
  assert.is((await refused((work) => createIdp(work, 'a', { plugin: 'idp-oidc' }))).data?.['field'], 'issuer')
  const inside = { ...OKTA, issuer: 'https://refused.example.com' }
  assert.is((await refused((work) => createIdp(work, 'a', inside))).data?.['field'], 'issuer')
})

test.run()
