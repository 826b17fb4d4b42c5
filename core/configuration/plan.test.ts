import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configurationBench, FULL_FILE as FULL, FULL_SECRETS as SECRETS, refusalOf } from '../test/configuration.js'
import { exportFile } from './export.js'
import { createGateway } from './nouns/gateways.js'
import { createServer } from './nouns/servers.js'
import { createUser } from './nouns/people.js'

test('applying twice changes nothing, and the epoch stays', async () => {
  const { files, fromFile, store } = await configurationBench()
  const first = await files.apply(fromFile(FULL, { secrets: SECRETS }))
  assert.is(first.length, 14)
  const epoch = await store.epoch()
  assert.equal(await files.apply(fromFile(FULL, { secrets: SECRETS })), [])
  assert.is(await store.epoch(), epoch)
})

test('a plan tells what apply does and does nothing itself', async () => {
  const { files, fromFile, store, told } = await configurationBench()
  const planned = await files.plan(fromFile(FULL, { secrets: SECRETS }))
  assert.equal(await store.servers.all(), [])
  assert.equal(told, [])
  assert.equal(await files.apply(fromFile(FULL, { secrets: SECRETS })), planned)
})

test('what the file says stands in the store', async () => {
  const { files, fromFile, store } = await configurationBench()
  await files.apply(fromFile(FULL, { secrets: SECRETS }))
  const gateway = await store.gateways.byKey('engineering')
  const search = await store.servers.byKey('search')
  assert.is(gateway?.managedBy, 'file')
  assert.equal(
    gateway?.assignments.map(({ as, scheme, enabled }) => [as, scheme.kind, enabled]),
    [
      ['find', 'shared', true],
      [null, 'open', false],
    ],
  )
  assert.equal(gateway?.rules[0]?.config, { patterns: ['\\d{3}'] })
  assert.equal(await store.secrets.fields({ kind: 'server', id: search?.id ?? '' }), { 'headers.X-Key': 'se' })
  assert.is((await store.settings.get()).limits.call, 90_000)
  assert.is((await store.settings.get()).limits.list, 5_000)
  assert.equal((await store.settings.get()).limits.parkedCalls, { perReplica: 1_000, perUser: 7, perServer: 5 })
  assert.is((await store.users.byKey('bob@example.com'))?.role, 'member')
})

test('an identity of a file follows its server to another place with values that the file brings, and only so', async () => {
  const { files, fromFile, store } = await configurationBench()
  const file = (host: string, identities: string) =>
    fromFile(`version: 1\nservers: { crm: { url: https://${host}/mcp } }\n${identities}`, {
      isOperator: false,
      secrets: { 'env:KEY': 'value' },
    })
  const given = 'identities: { reader: { server: crm, shared: true, headers: { Authorization: "${env:KEY}" } } }'
  await files.apply(file('crm.example.com', given))
  for (const identities of ['', given.replace(/, headers.*/, ' } }')])
    assert.match((await refusalOf(files.apply(file('evil.example', identities)))).message, /reader/)
  assert.is((await store.servers.byKey('crm'))?.url, 'https://crm.example.com/mcp')
  await files.apply(file('new.example.com', given))
  assert.is((await store.servers.byKey('crm'))?.url, 'https://new.example.com/mcp')
})

test('a file that comes through the API changes no variable of a command of the operator', async () => {
  const { files, fromFile, store } = await configurationBench()
  const file = (rest: string, isOperator: boolean) =>
    fromFile(`version: 1\nservers: { s: { command: [node, s.js], ${rest} } }`, { isOperator })
  await files.apply(file('env: { A: "1", B: "2" }', true))
  const refused = await refusalOf(
    files.apply(file('env: { A: "1", NODE_OPTIONS: "--import=data:text/javascript,0" }', false)),
  )
  assert.match(refused.message, 'GATEHOUSE_STDIO')
  await files.apply(file('title: S, env: { B: "2", A: "1" }', false))
  const { id = '', title } = (await store.servers.byKey('s')) ?? {}
  assert.equal([title, await store.secrets.fields({ kind: 'server', id })], ['S', { 'env.A': '1', 'env.B': '2' }])
})

test('a plan names the fields that differ and never a value', async () => {
  const { files, fromFile } = await configurationBench()
  await files.apply(fromFile(FULL, { secrets: SECRETS }))
  const changed = FULL.replace('protocol: legacy', 'protocol: auto').replace('alerts: true', 'alerts: false')
  const steps = await files.plan(fromFile(changed, { secrets: { ...SECRETS, 'env:SEARCH_KEY': 'rotated' } }))
  assert.equal(steps, [
    { op: 'update', noun: 'servers', key: 'search', fields: ['auth', 'protocol'] },
    { op: 'update', noun: 'gateways', key: 'engineering', fields: ['rules'] },
  ])
  assert.not.match(JSON.stringify(steps), 'rotated')
})

test('a key that the file no longer says takes its default', async () => {
  const { files, fromFile, store } = await configurationBench()
  await files.apply(fromFile('version: 1\nservers: { s: { command: [x], cwd: /tmp, title: T, env: { A: b } } }\n'))
  await files.apply(fromFile('version: 1\nservers: { s: { command: [x] } }\n'))
  const server = await store.servers.byKey('s')
  assert.equal([server?.cwd, server?.title, server?.env], [null, 's', []])
})

test('a rule that the file no longer names is gone', async () => {
  const { files, fromFile, store } = await configurationBench()
  await files.apply(fromFile(FULL, { secrets: SECRETS }))
  await files.apply(fromFile(FULL.replace(/ {6}- \{ name: SSN.*\n/, ''), { secrets: SECRETS }))
  assert.equal(
    (await store.gateways.byKey('engineering'))?.rules.map(({ name }) => name),
    ['Company', 'Dlp'],
  )
})

test('a bad file changes nothing, however late the fault stands', async () => {
  const { files, fromFile, store } = await configurationBench()
  const bad = FULL.replace('owner: bob@example.com', 'owner: nobody@example.com')
  const error = await refusalOf(files.apply(fromFile(bad, { secrets: SECRETS })))
  assert.is(error.message, "file.yaml:35:30 hosts.bot.owner: 'nobody@example.com' does not exist")
  assert.is(error.code, 'GH_CONFIG_INVALID')
  assert.equal(await store.servers.all(), [])
})

test('what a rule’s engine refuses is refused with its place', async () => {
  const { files, fromFile } = await configurationBench()
  const rule = "{ name: S, engine: regex, hook: both, action: mask, patterns: ['('] }"
  const error = await refusalOf(files.plan(fromFile(`version: 1\ngateways:\n  g:\n    rules:\n      - ${rule}\n`)))
  assert.is(error.message, 'file.yaml:5:72 gateways.g.rules[0].patterns[0]: is not a pattern (at character 1)')
})

test('an unknown engine is refused, naming those that are loaded', async () => {
  const { files, fromFile } = await configurationBench()
  const error = await refusalOf(
    files.plan(fromFile(FULL.replace('engine: acme', 'engine: presidio'), { secrets: SECRETS })),
  )
  assert.match(
    error.message,
    "gateways.engineering.rules[1].engine: there is no engine 'presidio'; known are regex, acme, dlp",
  )
})

test('what was made elsewhere is untouched; prune removes only what a file made', async () => {
  const { files, fromFile, store, mutations, admin } = await configurationBench()
  await mutations.change(admin, (work) => createGateway(work, 'by-api', {}))
  await files.apply(fromFile(FULL, { secrets: SECRETS }))
  const short =
    'version: 1\nusers: { ana@example.com: {} }\nroles: { auditor: { capabilities: [viewMessageBodies, viewAndExportLogs] } }\n'
  assert.equal(await files.plan(fromFile(short)), [])
  const removed = await files.apply(fromFile(short, { prune: true }))
  assert.equal(
    removed.map(({ op, noun, key }) => `${op} ${noun} ${key}`),
    [
      'remove hosts bot',
      'remove alerts ops',
      'remove exporters soc',
      'remove gateways engineering',
      'remove engines dlp',
      'remove identities reader',
      'remove servers everything',
      'remove servers search',
      'remove idps okta',
      'remove teams engineering',
      'remove users bob@example.com',
    ],
  )
  assert.equal(
    (await store.gateways.all()).map(({ slug }) => slug),
    ['by-api'],
  )
  assert.is((await store.roles.all()).length, 4)
})

test('what the file changes is the file’s from then on; what it only repeats is not', async () => {
  const { files, fromFile, store, mutations, admin } = await configurationBench()
  const make = (slug: string) =>
    mutations.change(admin, (work) => createServer(work, slug, { url: 'https://a.example.com' }))
  await make('same')
  await make('other')
  await files.apply(
    fromFile('version: 1\nservers: { same: { url: https://a.example.com }, other: { url: https://b.example.com } }\n'),
  )
  assert.is((await store.servers.byKey('same'))?.managedBy, 'api')
  assert.is((await store.servers.byKey('other'))?.managedBy, 'file')
})

test('export and apply make a circle, and the export holds no secret', async () => {
  const { files, fromFile, store, mutations, admin } = await configurationBench()
  await files.apply(fromFile(FULL, { secrets: SECRETS }))
  await mutations.change(admin, (work) => createUser(work, 'zoe@example.com', { name: 'Zoë: “#1”', enabled: false }))
  const text = await exportFile(store)
  for (const secret of Object.values(SECRETS)) assert.not.match(text, new RegExp(`: ["']?${secret}["']?$`, 'm'))
  assert.match(text, '# Secrets are not exported. Set: OKTA_CLIENTSECRET EVERYTHING_DEBUG EVERYTHING_API_KEY')
  const secrets = {
    'env:EVERYTHING_DEBUG': '0',
    'env:EVERYTHING_API_KEY': 'ev',
    'env:SEARCH_X_KEY': 'se',
    'env:READER_AUTHORIZATION': 'Bearer re',
    'env:SOC_X_KEY': 'so',
    'env:OKTA_CLIENTSECRET': 'ok',
    'env:OPS_SECRET': 'op',
    'env:OPS_X_KEY': 'ke',
    'env:DLP_AUTHORIZATION': 'Bearer dl',
    'env:DLP_TOKEN': 'dt',
  }
  assert.equal(await files.plan(fromFile(text, { secrets, prune: true })), [])
  const { store: _, ...empty } = await configurationBench()
  await empty.files.apply(empty.fromFile(text, { secrets }))
  assert.equal(await empty.files.plan(empty.fromFile(text, { secrets })), [])
})

test('a file applied through the API grants no more than its sender holds', async () => {
  const { files, fromFile, as } = await configurationBench()
  const actor = { ...(await as(['managePeople'])), managedBy: 'file' as const }
  const text = 'version: 1\nusers: { mia@example.com: { role: super-admin } }\n'
  assert.is((await refusalOf(files.apply({ ...fromFile(text), actor }))).code, 'GH_API_FORBIDDEN')
})

test.run()
