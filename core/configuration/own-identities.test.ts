import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configurationBench, refusalOf } from '../test/configuration.js'
import { createIdentity, updateIdentity } from './nouns/identities.js'
import { giveOwnHeaders, keepGrant, mustAuthorise } from './nouns/own-identities.js'
import { createServer, serverState, updateServer } from './nouns/servers.js'
import type { Work } from './work.js'

const url = 'https://crm.example.com/mcp'

async function bench() {
  const it = await configurationBench()
  const mia = await it.as(['authenticateViaOauth'], 'mia@example.com')
  const asMia = <T>(work: (work: Work) => Promise<T>) => it.mutations.change(mia, work)
  const asAdmin = <T>(work: (work: Work) => Promise<T>) => it.mutations.change(it.admin, work)
  return { ...it, mia, asMia, asAdmin }
}

test('a person without any capability gives their own header values, and renews them in place', async () => {
  const { asMia, asAdmin, store, mia } = await bench()
  const server = await asAdmin((work) => createServer(work, 'crm', { url, auth: { headers: ['X-Key', 'X-App'] } }))
  const first = await asMia((work) => giveOwnHeaders(work, server.id, { 'X-Key': 'one', 'X-App': 'a', Other: 'no' }))
  assert.equal(first.headers, ['X-Key', 'X-App'])
  await store.identities.update(first.id, { status: 'needs_reauth' })
  const second = await asMia((work) => giveOwnHeaders(work, server.id, { 'X-Key': 'two', 'X-App': 'b' }))
  assert.is(second.id, first.id)
  assert.is(second.status, 'ok')
  assert.is(second.ownerId, mia.userId)
  assert.equal(await store.secrets.fields({ kind: 'identity', id: first.id }), {
    'headers.X-Key': 'two',
    'headers.X-App': 'b',
  })
})

test('what a person gave for themselves is shared or given on by nobody else, by no way', async () => {
  const { asMia, asAdmin, files, fromFile, store } = await bench()
  await asAdmin((work) => createServer(work, 'crm', { url, auth: 'oauth' }))
  const { id } = await asMia((work) => createIdentity(work, 'reader', { server: 'crm' }))
  for (const patch of [{ shared: true }, { owner: 'root@example.com' }])
    assert.is((await refusalOf(asAdmin((work) => updateIdentity(work, id, patch)))).code, 'GH_API_CONFLICT')
  const text = 'version: 1\nidentities: { reader: { server: crm, shared: true } }'
  assert.match((await refusalOf(files.apply(fromFile(text)))).message, /person's own/)
  assert.not((await store.identities.find(id))?.shared)
  await asAdmin((work) => updateIdentity(work, id, { enabled: false }))
  const mine = await asAdmin((work) => createIdentity(work, 'mine', { server: 'crm' }))
  assert.ok((await asAdmin((work) => updateIdentity(work, mine.id, { shared: true }))).shared)
})

test('a value that is missing or would be two headers is refused without being told', async () => {
  const { asMia, asAdmin } = await bench()
  const server = await asAdmin((work) => createServer(work, 'crm', { url }))
  const missing = await refusalOf(asMia((work) => giveOwnHeaders(work, server.id, {})))
  assert.is(missing.message, 'Authorization: needs a value')
  const two = await refusalOf(asMia((work) => giveOwnHeaders(work, server.id, { Authorization: 'sec\r\nret: 1' })))
  assert.is(two.code, 'GH_API_INVALID')
  assert.not.match(two.message, 'sec')
})

test('an identity without headers waits for a sign-in, where the server has one', async () => {
  const { asAdmin } = await bench()
  await asAdmin((work) => createServer(work, 'crm', { url, auth: 'oauth' }))
  await asAdmin((work) => createServer(work, 'keyed', { url, auth: { headers: ['X-Key'] } }))
  const identity = await asAdmin((work) => createIdentity(work, 'reader', { server: 'crm', shared: true }))
  assert.is(identity.kind, 'oauth')
  assert.is(identity.status, 'needs_reauth')
  const refused = await refusalOf(asAdmin((work) => createIdentity(work, 'other', { server: 'keyed', shared: true })))
  assert.match(refused.message, 'headers')
  const given = await asAdmin((work) => updateIdentity(work, 'reader', { headers: { Authorization: 'Bearer x' } }))
  assert.equal([given.kind, given.status], ['headers', 'ok'])
})

test("a client's secret is sealed, comes back in the state, and does not follow the server to another place", async () => {
  const { asAdmin, store } = await bench()
  const oauth = { clientId: 'abc', clientSecret: 's3cret', scope: 'read write' }
  const server = await asAdmin((work) => createServer(work, 'chat', { url, auth: { oauth } }))
  assert.equal(
    [server.auth, server.oauth],
    ['oauth', { clientId: 'abc', issuer: null, scope: 'read write', assertion: false }],
  )
  assert.equal((await serverState({ store }, server)).auth, { oauth })
  const moved = await refusalOf(asAdmin((work) => updateServer(work, 'chat', { url: 'https://evil.example.com/mcp' })))
  assert.is(moved.data?.['field'], 'auth')
  await store.upstreamClients.put(server.id, 'https://as.example.com', '{}')
  const plain = await asAdmin((work) => updateServer(work, 'chat', { auth: 'oauth' }))
  assert.is(await store.upstreamClients.find(server.id, 'https://as.example.com'), null, 'we register anew')
  assert.equal([plain.auth, plain.oauth], ['oauth', null])
  assert.equal(await store.secrets.fields({ kind: 'server', id: server.id }), {})
})

test('what a sign-in gave is kept for the server that it was given for, and not for where that has moved since', async () => {
  const { asAdmin, asMia, store } = await bench()
  const server = await asAdmin((work) => createServer(work, 'crm', { url, auth: 'oauth' }))
  const grant = { issuer: 'https://as.example.com', clientId: 'c', scope: null, tokens: '{}', expiresAt: null }
  const given = { serverId: server.id, serverUrl: url, identityId: null, grant }
  await asAdmin((work) => updateServer(work, 'crm', { url: 'https://evil.example.com/mcp', auth: 'oauth' }))
  const refused = await refusalOf(asMia((work) => keepGrant(work, given)))
  assert.match(refused.message, 'moved')
  assert.equal(await store.identities.ofServer(server.id), [])
  await asAdmin((work) => updateServer(work, 'crm', { url, auth: 'oauth' }))
  assert.is((await asMia((work) => keepGrant(work, given))).status, 'ok')
})

test('whoever may not see the identity of another person is told that there is none', async () => {
  const { asMia, asAdmin } = await bench()
  await asAdmin((work) => createServer(work, 'crm', { url, auth: 'oauth' }))
  await asAdmin((work) => createIdentity(work, 'roots', { server: 'crm', shared: false }))
  const [there, absent] = [
    await refusalOf(asMia((work) => mustAuthorise(work, 'roots'))),
    await refusalOf(asMia((work) => mustAuthorise(work, 'rootz'))),
  ]
  assert.equal([there.code, there.message.replace('roots', 'rootz')], [absent.code, absent.message])
})

test.run()
