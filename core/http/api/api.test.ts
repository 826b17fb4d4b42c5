import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CAPABILITIES } from '../../domain/capabilities.js'
import { createTeam } from '../../configuration/nouns/people.js'
import { apiBench } from '../../test/api.js'
import { createOperations } from './operations.js'
import type { ApiOptions, Operation } from './operation.js'

const api = await apiBench()
const operations = createOperations({} as ApiOptions)
const { request } = api
test.after(async () => void (await api.stop()))

const concrete = ({ path }: Operation) => path.replaceAll(/\{\w+\}/g, '0190a0e0-0000-7000-8000-000000000000')
const needsOf = ({ need }: Operation) => (need === null ? [] : typeof need === 'string' ? [need] : need)

test('openapi.json lists exactly the routes that are served', async () => {
  const { json, status } = await request('GET', '/openapi.json', { token: null })
  assert.is(status, 200)
  const listed = Object.entries(json.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} /api/v1${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  )
  const served = api.router.stack
    .filter(({ path, methods }) => methods.length > 0 && !/openapi|\*/.test(String(path)))
    .flatMap(({ methods, path }) =>
      methods.filter((method) => method !== 'HEAD').map((method) => `${method} ${String(path)}`),
    )
  assert.equal(listed.toSorted(), served.toSorted())
  assert.is(listed.length, operations.length)
  assert.ok(listed.length > 60)
})

test('every operation is described with the schema it checks, and each id is one’s own', async () => {
  const { json } = await request('GET', '/openapi.json')
  const { requestBody } = json.paths['/servers'].post
  assert.is(requestBody.content['application/json'].schema.additionalProperties, false)
  assert.is(json.openapi, '3.1.0')
  assert.is(new Set(operations.map(({ id }) => id)).size, operations.length)
})

for (const operation of operations) {
  const name = `${operation.method.toUpperCase()} ${operation.path}`
  const call = (token: string | null, body: unknown = {}) =>
    request(operation.method.toUpperCase(), concrete(operation), {
      token,
      ...(operation.input === null ? {} : { body }),
    })

  test(`${name} is 401 without a token, with a wrong one and with one for gateways`, async () => {
    for (const token of [null, `gpat_${'A'.repeat(43)}`, `API_${'A'.repeat(43)}`]) {
      const { status, headers, json } = await call(token)
      assert.is(status, 401)
      assert.match(headers.get('www-authenticate') ?? '', /^Bearer/)
      assert.is(json.error.code, 'GH_API_UNAUTHORIZED')
    }
  })

  if (operation.need === null) continue
  test(`${name} is 403 without what it needs, and names it`, async () => {
    const needed = needsOf(operation)
    const { status, json } = await call(await api.token(allBut(needed)))
    assert.is(status, 403)
    assert.is(json.error.message, `Capability '${needed[0]}' is required.`)
  })

  // Only a super admin may; a test of its own says so.
  if (['createSetupLink', 'recoverUser'].includes(operation.id)) continue
  for (const key of needsOf(operation))
    test(`${name} is not refused to whoever holds ${[key, ...operation.also].join(' and ')} alone`, async () => {
      const { status } = await call(await api.token([key, ...operation.also]))
      assert.is.not(status, 403)
      assert.is.not(status, 500)
    })

  for (const key of operation.also)
    test(`${name} is 403 without ${key}, which it needs too`, async () => {
      const { status, json } = await call(await api.token(allBut([key])))
      assert.is(status, 403)
      assert.is(json.error.message, `Capability '${key}' is required.`)
    })

  for (const [field, key] of Object.entries(operation.fields))
    test(`${name} with ${field} is 403 without ${key}`, async () => {
      const { status, json } = await call(await api.token(allBut([key])), { [field]: null })
      assert.is(status, 403)
      assert.is(json.error.message, `Capability '${key}' is required.`)
      assert.is.not((await call(await api.token([key]), { [field]: null })).status, 403)
    })
}

/** Every capability that there is, less these. */
function allBut(missing: readonly string[]): string[] {
  return CAPABILITIES.filter((key) => !missing.includes(key))
}

test('only a super admin makes a link for another one, or into the account of another', async () => {
  const token = await api.token(CAPABILITIES)
  for (const path of ['/setup-links', '/users/mia@example.com/recovery']) {
    const { json, status } = await request('POST', path, { token })
    assert.is(status, 403)
    assert.match(json.error.message, 'holds more than you: every capability')
  }
  assert.is((await request('POST', '/users/mia@example.com/recovery')).status, 200)
  assert.is((await request('POST', '/setup-links')).status, 201)
})

test('whoever sees no tokens of others does not learn from the list who is here', async () => {
  const token = await api.token([])
  const { json: me } = await request('GET', '/whoami', { token })
  assert.is((await request('GET', `/tokens?user=${me.user.email}`, { token })).json.items.length, 1)
  const [there, nowhere] = await Promise.all(
    ['mia@example.com', 'nix@example.com'].map((user) => request('GET', `/tokens?user=${user}`, { token })),
  )
  assert.equal([there?.status, nowhere?.status], [400, 400])
  assert.is(there?.json.error.message, nowhere?.json.error.message.replace('nix', 'mia'))
})

test('the admin tokens of people who hold more are out of reach', async () => {
  const [boss, chief] = [await api.token(['*']), await api.token(['managePeople'])]
  const { json: me } = await request('GET', '/whoami', { token: boss })
  const { json } = await request('GET', `/tokens?kind=admin&user=${me.user.email}`, { token: boss })
  const { id } = json.items[0]
  assert.is((await request('PATCH', `/tokens/${id}`, { token: chief, body: { enabled: false } })).status, 403)
  assert.is((await request('DELETE', `/tokens/${id}`, { token: chief })).status, 403)
  assert.is((await request('GET', '/whoami', { token: boss })).status, 200)
})

test('the list of a person’s own identities reads no more than those', async () => {
  await request('POST', '/servers', { body: { slug: 'owned', url: 'https://o.example.com' } })
  const token = await api.token([])
  const mine = { slug: 'mine', server: 'owned', headers: { Authorization: 'x' } }
  assert.is((await request('POST', '/identities', { token, body: mine })).status, 201)
  const { all } = api.store.identities
  const broken = { ...api.store.identities, all: () => Promise.reject(new Error('all were read')) }
  Object.assign(api.store, { identities: broken })
  const { json } = await request('GET', '/identities', { token })
  Object.assign(api.store, { identities: { ...broken, all } })
  assert.equal(
    json.items.map(({ slug }: { slug: string }) => slug),
    ['mine'],
  )
})

test('a field that needs its own capability asks for that one alone', async () => {
  await request('POST', '/servers', { body: { slug: 'toggled', url: 'https://t.example.com' } })
  const token = await api.token(['disableAndEnableServers', 'viewAllServers'])
  const off = await request('PATCH', '/servers/toggled', { token, body: { enabled: false } })
  assert.is(off.status, 200)
  assert.is(off.json.enabled, false)
  assert.is((await request('PATCH', '/servers/toggled', { token, body: { enabled: true, title: 'x' } })).status, 403)
})

test('no secret is ever in an answer', async () => {
  const secret = 's3cr3t-value'
  const bodies: [string, object][] = [
    ['/servers', { slug: 'crm', url: 'https://crm.example.com', auth: { headers: { 'X-Key': secret } } }],
    ['/identities', { slug: 'reader', server: 'crm', shared: true, headers: { Authorization: secret } }],
    ['/exporters', { slug: 'soc', plugin: 'siem-otlp', url: 'https://o.example.com', headers: { 'X-Key': secret } }],
    ['/gateways', { slug: 'eng', servers: [{ server: 'crm', identity: { shared: 'reader' } }] }],
    ['/tokens', { kind: 'access', gateway: 'eng', host: 'bot' }],
  ]
  const answers = []
  for (const [path, body] of bodies) {
    const made = await request('POST', path, { body })
    assert.is(made.status, 201, made.text)
    answers.push(made)
  }
  const minted = answers.at(-1)?.json.secret as string
  assert.match(minted, /^API_/)
  const idp = { slug: 'okta', plugin: 'idp-oidc', issuer: 'https://a.okta.com', clientId: 'c', clientSecret: secret }
  answers.push(await request('POST', '/idps', { body: idp }), await request('GET', '/idps/okta'))
  assert.equal(answers.at(-1)?.json.secrets, ['clientSecret'])
  answers.push(await request('PATCH', '/idps/okta', { body: { title: 'Okta' } }))
  answers.push(await request('PATCH', '/servers/crm', { body: { title: 'CRM' } }))
  for (const operation of operations.filter(({ method, path }) => method === 'get' && !path.includes('{')))
    answers.push(await request('GET', operation.path))
  for (const path of [
    '/servers/crm',
    '/identities/reader',
    '/exporters/soc',
    '/gateways/eng',
    `/tokens/${answers[4]?.json.id}`,
  ])
    answers.push(await request('GET', path))
  for (const { status, text, json } of answers) {
    assert.ok(status < 300)
    assert.not.ok(text.includes(secret), text)
    if (json.secret === undefined) assert.not.ok(text.includes(minted), text)
  }
  assert.is(answers.at(-5)?.json.headers[0], 'X-Key')
})

test('a refusal names the field; what is taken conflicts', async () => {
  const wrong = await request('POST', '/servers', { body: { slug: 'a', ulr: 'x' } })
  assert.equal([wrong.status, wrong.json.error.field], [400, 'ulr'])
  assert.match(wrong.json.error.message, 'did you mean url?')
  await request('POST', '/teams', { body: { slug: 'taken' } })
  assert.is((await request('POST', '/teams', { body: { slug: 'taken' } })).status, 409)
  assert.is((await request('GET', '/teams/nowhere')).status, 404)
  assert.is((await request('GET', '/nowhere')).json.error.code, 'GH_API_NOT_FOUND')
})

test('a body is JSON, said to be, and of at most 1 MiB where none of a module is taken', async () => {
  assert.is((await request('POST', '/teams', { body: '{' })).status, 400)
  assert.is((await request('POST', '/teams', { body: { slug: 'x'.repeat(1024 * 1024) } })).status, 413)
  const plain = await fetch(`${api.url}/api/v1/teams`, {
    ...{ method: 'POST', body: '{"slug":"a"}' },
    headers: { authorization: `Bearer ${api.admin}`, 'content-type': 'text/plain' },
  })
  assert.is(plain.status, 415)
})

test('a list is given page by page', async () => {
  for (const slug of ['p1', 'p2', 'p3']) await request('POST', '/hosts', { body: { slug } })
  const seen: string[] = []
  let cursor = ''
  do {
    const { json } = await request('GET', `/hosts?limit=2${cursor && `&cursor=${cursor}`}`)
    assert.ok(json.items.length <= 2)
    seen.push(...json.items.map(({ slug }: { slug: string }) => slug))
    cursor = json.next ?? ''
  } while (cursor)
  assert.equal(
    seen.filter((slug) => slug.startsWith('p')),
    ['p1', 'p2', 'p3'],
  )
  assert.is((await request('GET', '/hosts?limit=0')).status, 400)
})

test('a gateway of none of one’s teams is as good as absent', async () => {
  await request('POST', '/gateways', { body: { slug: 'hidden' } })
  const token = await api.token(['basicGatewayManagement', 'archiveGateways'])
  const { json: me } = await request('GET', '/whoami', { token })
  for (const path of ['', '/rules', '/assignments'])
    assert.is((await request('GET', `/gateways/hidden${path}`, { token })).status, 404)
  assert.is((await request('PATCH', '/gateways/hidden', { token, body: { title: 'x' } })).status, 404)
  assert.is((await request('DELETE', '/gateways/hidden', { token })).status, 404)
  assert.not.match((await request('GET', '/gateways', { token })).text, 'hidden')
  await api.mutations.change(api.adminActor, (work) => createTeam(work, 'ours', { members: [me.user.email] }))
  await request('PATCH', '/gateways/hidden', { body: { teams: ['ours'] } })
  assert.is((await request('PATCH', '/gateways/hidden', { token, body: { title: 'x' } })).status, 200)
})

test('rules and assignments of a gateway are made, moved, changed and removed', async () => {
  await request('POST', '/servers', { body: { slug: 'parts', url: 'https://p.example.com' } })
  await request('POST', '/gateways', { body: { slug: 'parts' } })
  const { json: one } = await request('POST', '/gateways/parts/assignments', { body: { server: 'parts' } })
  const renamed = await request('PATCH', `/gateways/parts/assignments/${one.id}`, { body: { as: 'other' } })
  assert.equal([renamed.json.as, renamed.json.id], ['other', one.id])
  const rule = { name: 'r', engine: 'regex', hook: 'both', action: 'mask', patterns: ['a'] }
  const { json: made, status } = await request('POST', '/gateways/parts/rules', { body: rule })
  assert.equal([status, made.version, made.patterns], [201, 1, ['a']])
  const second = await request('POST', '/gateways/parts/rules', { body: { ...rule, name: 's', position: 0 } })
  assert.is(second.json.position, 0)
  const bad = await request('POST', '/gateways/parts/rules', { body: { ...rule, name: 't', patterns: ['('] } })
  assert.equal([bad.status, bad.json.error.field], [400, 'patterns[0]'])
  assert.is((await request('DELETE', `/gateways/parts/rules/${made.id}`)).status, 204)
  assert.is((await request('DELETE', `/gateways/parts/assignments/${one.id}`)).status, 204)
  assert.equal((await request('GET', '/gateways/parts')).json.rules.length, 1)
})

test('bodies in the log need their own capability', async () => {
  const token = await api.token(['viewAndExportLogs'])
  assert.is((await request('GET', '/logs', { token })).status, 200)
  assert.is((await request('GET', '/logs?bodies=true', { token })).status, 403)
  const both = await api.token(['viewAndExportLogs', 'viewMessageBodies'])
  assert.is((await request('GET', '/logs?bodies=true&limit=7', { token: both })).status, 200)
  assert.equal(api.asked.at(-1), { limit: 7, withBodies: true })
  assert.is((await request('GET', '/logs?colour=red', { token: both })).status, 400)
})

test('a file applied through the API needs what each of its changes needs', async () => {
  const text = 'version: 1\nservers: { filed: { url: https://f.example.com } }\n'
  const refused = await request('POST', '/apply', {
    token: await api.token(['manageWorkspaceSettings']),
    body: { text },
  })
  assert.is(refused.json.error.message, "Capability 'basicServerManagement' is required.")
  assert.is((await request('GET', '/servers/filed')).status, 404)
  const token = await api.token(['manageWorkspaceSettings', 'basicServerManagement'])
  const planned = await request('POST', '/plan', { token, body: { text } })
  assert.equal(planned.json.steps, [{ op: 'create', noun: 'servers', key: 'filed', fields: ['url'] }])
  assert.is((await request('POST', '/apply', { token, body: { text } })).status, 200)
  assert.is((await request('GET', '/servers/filed')).json.managedBy, 'file')
  assert.is((await request('PATCH', '/servers/filed', { body: { title: 'x' } })).status, 409)
})

test('a file applied through the API reads nothing of the gateway’s machine', async () => {
  const text = (reference: string) =>
    `version: 1\nservers: { x: { url: https://x.example.com, auth: { headers: { A: "${reference}" } } } }\n`
  for (const reference of ['${env:PATH}', '${file:/etc/hostname}']) {
    const { status, json } = await request('POST', '/apply', { body: { text: text(reference) } })
    assert.is(status, 400)
    assert.is(json.error.code, 'GH_CONFIG_SECRET')
  }
})

test('plugins in a file that comes through the API load nothing, and that is said', async () => {
  const { json } = await request('POST', '/apply', { body: { text: 'version: 1\nplugins: [{ use: ./evil.js }]\n' } })
  assert.equal(json.steps, [])
  assert.match(json.notes[0], 'GATEHOUSE_CONFIG')
})

test('what is unforeseen tells the caller nothing', async () => {
  const other = await apiBench({
    fakes: { rotateKeys: () => Promise.reject(new Error('at the address of the key')) },
  })
  const { status, text } = await other.request('POST', '/keys/rotate')
  await other.stop()
  assert.is(status, 500)
  assert.not.match(text, 'address')
  assert.is(other.broken.length, 1)
})

test.run()
