// time-limit: 120
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ALL, legacyClient, modernClient } from '../bridge/clients.js'
import { FORM, heldServer, text, type HeldServer } from '../bridge/held-server.js'
import { legacy, openSession } from '../door.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { openStanding } from '../streams.js'

const LATEST_MS = 1_400

let server: HeldServer
let gateway: RunningGateway
test.before(async () => {
  server = await heldServer()
  gateway = await startGateway()
  await gateway.api('POST', '/servers', { slug: 'one', url: server.url })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

let made = 0
/** Somebody new, at a new gateway, by the team or by the role alone. */
async function newPerson(by: 'team' | 'role') {
  const n = (made += 1)
  const [email, role, team, slug] = [`p${n}@example.com`, `role-${n}`, `team-${n}`, `house-${n}`]
  await gateway.api('POST', '/roles', { slug: role, capabilities: by === 'role' ? ['viewAndUseAllGateways'] : [] })
  await gateway.api('POST', '/users', { email, role })
  await gateway.api('POST', '/teams', { slug: team, members: by === 'team' ? [email] : [] })
  await gateway.api('POST', '/gateways', { slug, teams: [team], servers: [{ server: 'one' }] })
  const access = await gateway.mintToken({ gateway: slug, host: `agent-${n}`, user: email })
  return { access, email, role, team, slug }
}
type Person = Awaited<ReturnType<typeof newPerson>>
const LOSSES: readonly (readonly [string, 'team' | 'role', 401 | 403, (person: Person) => Promise<unknown>])[] = [
  [
    'role that loses its right',
    'role',
    403,
    ({ role }) => gateway.api('PATCH', `/roles/${role}`, { capabilities: [] }),
  ],
  ['other role', 'role', 403, ({ email }) => gateway.api('PATCH', `/users/${email}`, { role: 'member' })],
  ['team that is removed', 'team', 403, ({ team }) => gateway.api('DELETE', `/teams/${team}`)],
  ['team without the person', 'team', 403, ({ team }) => gateway.api('PATCH', `/teams/${team}`, { members: [] })],
  ['gateway of no team', 'team', 403, ({ slug }) => gateway.api('PATCH', `/gateways/${slug}`, { teams: [] })],
  ['user who is removed', 'team', 401, ({ email }) => gateway.api('DELETE', `/users/${email}`)],
  [
    'connection that is removed',
    'team',
    401,
    async ({ access }) => {
      const { connectionId } = await gateway.api('GET', `/tokens/${access.tokenId}`)
      return gateway.api('DELETE', `/connections/${connectionId}`)
    },
  ],
  ['gateway that is removed', 'team', 401, ({ slug }) => gateway.api('DELETE', `/gateways/${slug}`)],
]

for (const [what, by, status, lose] of LOSSES)
  test(`a ${what} is ${status} at once and ends the stream and the call under way`, async () => {
    const person = await newPerson(by)
    const { access } = person
    const session = await openSession(access)
    const stream = await openStanding(access, session)
    const client = await legacyClient(access)
    const given = { text: `lost-${made}` }
    const cut = client.call('act', given).then(
      () => performance.now(),
      () => performance.now(),
    )
    const held = await server.call(given.text)
    await lose(person)
    const since = performance.now()
    assert.is((await legacy(access, { method: 'tools/list' }, { session })).status, status)
    assert.ok((await cut) - since < LATEST_MS)
    await stream.ended()
    assert.ok(performance.now() - since < LATEST_MS)
    await server.cancelled(held)
    client.close()
  })

/** A call of a modern client that sleeps behind its server's question. */
async function asleep(access: Access) {
  const client = modernClient(access, { capabilities: ALL })
  const given = { text: `asleep-${(made += 1)}` }
  const pending = client.call('act', given)
  const held = await server.call(given.text)
  held.ask(`q-${given.text}`, 'elicitation/create', FORM)
  const asked = await pending
  assert.is(asked.json.result.resultType, 'input_required')
  const answer = () => client.again('act', asked, { q1: { action: 'accept', content: {} } }, { given })
  return { held, question: `q-${given.text}`, answer }
}

for (const path of ['/users/{email}', '/servers/one'])
  test(`a call that sleeps behind a question ends at its server when ${path} is disabled`, async () => {
    const { access, email } = await newPerson('team')
    const [other, { held }] = [await newPerson('team'), await asleep(access)]
    const others = await asleep(other.access)
    const place = path.replace('{email}', email)
    await gateway.api('PATCH', place, { enabled: false })
    await server.cancelled(held)
    await gateway.api('PATCH', place, { enabled: true })
    if (path === '/servers/one') return server.cancelled(others.held)
    const next = others.answer()
    await server.answered(others.question)
    others.held.answer(text('done'))
    assert.equal((await next).json.result.content, text('done').content, 'others sleep on')
  })

test('a call that waits for an answer of its client ends when its server is disabled', async () => {
  const { access } = await newPerson('team')
  const client = await legacyClient(access, { capabilities: ALL })
  const given = { text: `asks-${(made += 1)}` }
  const pending = client.call('act', given)
  const held = await server.call(given.text)
  held.ask('q-waits', 'elicitation/create', FORM)
  await client.asked('elicitation/create')
  await gateway.api('PATCH', '/servers/one', { enabled: false })
  const since = performance.now()
  const { json } = await pending
  assert.is(json.error.data.reason, 'server_disabled')
  assert.ok(performance.now() - since < LATEST_MS)
  await gateway.api('PATCH', '/servers/one', { enabled: true })
  client.close()
})

test.run()
