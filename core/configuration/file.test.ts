import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configurationBench, refusalOf } from '../test/configuration.js'
import { readFile } from './file.js'
import { readPlugins } from './plugins.js'
import { collectSecrets, sourceOf } from './references.js'

const BAD: readonly (readonly [name: string, text: string, told: string])[] = [
  [
    'an unknown key',
    'version: 1\nservers:\n  crm:\n    ulr: https://crm.example.com\n',
    'file.yaml:4:5 servers.crm.ulr: unknown key; did you mean url?',
  ],
  ['an unknown top key', 'version: 1\nserver: {}\n', 'file.yaml:2:1 server: unknown key; did you mean servers?'],
  ['a doubled key', 'version: 1\nteams:\n  a: {}\n  a: {}\n', 'file.yaml:4:3 Map keys must be unique'],
  [
    'a doubled address',
    'version: 1\nusers:\n  a@x.org: {}\n  A@X.org: {}\n',
    'users.a@x.org: this address stands there twice',
  ],
  [
    'a bad duration',
    'version: 1\nsettings: { limits: { call: 5 minutes } }\n',
    'file.yaml:2:23 settings.limits.call: must be a duration such as 300s, 15m or 2h',
  ],
  ['a bad size', 'version: 1\nsettings: { limits: { bodyInLog: 64k } }\n', 'settings.limits.bodyInLog: must be a size'],
  ['a zero duration', 'version: 1\nsettings: { limits: { call: 0s } }\n', 'settings.limits.call: must be a duration'],
  ['a bad slug', 'version: 1\nteams: { Big_Team: {} }\n', 'file.yaml:2:10 teams.Big_Team: must be 1 to 63 characters'],
  [
    'aliases that grow without bound',
    `version: 1\na0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]\n${[1, 2, 3, 4, 5]
      .map(
        (n) =>
          `a${n}: &a${n} [${Array(8)
            .fill(`*a${n - 1}`)
            .join(', ')}]\n`,
      )
      .join('')}`,
    'file.yaml:1:1 aliases repeat too much',
  ],
  ['another version', 'version: 2\n', 'file.yaml:1:1 version: must be 1'],
  ['no version', 'teams: {}\n', 'version: must be 1'],
  ['broken YAML', 'version: 1\nteams: [\n', 'file.yaml:3:1 '],
  ['two documents', 'version: 1\n---\nversion: 1\n', 'file.yaml:2:1 '],
  [
    'a list where all is allowed',
    'version: 1\ngateways: { eng: { servers: [{ server: crm, tools: { mode: all, allow: [{ name: a }] } }] } }\n',
    'gateways.eng.servers[0].tools.allow: only mode selected has a list, not all',
  ],
  [
    'a condition that only tools can meet',
    'version: 1\ngateways: { eng: { servers: [{ server: crm, prompts: { mode: selected, allow: [{ name: a, readOnly: true }] } }] } }\n',
    'gateways.eng.servers[0].prompts.allow[0].readOnly: unknown key',
  ],
  [
    'a hash that would pin many',
    `version: 1\ngateways: { eng: { servers: [{ server: crm, tools: { mode: selected, allow: [{ name: "a*", pin: { fields: [], sha256: ${'a'.repeat(64)} } }] } }] } }\n`,
    'gateways.eng.servers[0].tools.allow[0].pin.sha256: is of one feature, and needs its whole name',
  ],
  [
    'a part that no definition has',
    'version: 1\ngateways: { eng: { pinning: { fields: [colour] } } }\n',
    'gateways.eng.pinning.fields[0]: must be of title, description, schema',
  ],
  [
    'an unknown type of alert',
    'version: 1\nalerts: { ops: { plugin: alert-webhook, types: [rule_bloked] } }\n',
    'file.yaml:2:49 alerts.ops.types[0]: no alert is called rule_bloked',
  ],
  [
    'an unknown key of an OAuth client',
    'version: 1\nservers: { crm: { auth: { oauth: { clientld: a } } } }\n',
    'unknown key; did you mean clientId?',
  ],
  [
    'a secret without its client',
    'version: 1\nservers: { crm: { auth: { oauth: { clientSecret: "${env:A}" } } } }\n',
    'servers.crm.auth.oauth: a clientSecret needs its clientId',
  ],
  [
    'an unknown capture',
    'version: 1\ngateways: { eng: { capture: all } }\n',
    'gateways.eng.capture: must be none, redacted or sealed',
  ],
  [
    'OAuth hosts',
    'version: 1\nhosts: { app: { kind: oauth } }\n',
    'hosts.app.kind: hosts that sign in by OAuth appear by themselves',
  ],
  [
    'an unknown capability',
    'version: 1\nroles: { auditor: { capabilities: [viewLogs] } }\n',
    'roles.auditor.capabilities[0]: no capability is called viewLogs',
  ],
  [
    'a reserved header',
    'version: 1\nservers: { crm: { auth: { headers: { Host: "${env:A}" } } } }\n',
    'Host is set by the gateway itself',
  ],
]

for (const [name, text, told] of BAD)
  test(`${name} is refused with its place`, () => {
    try {
      readFile(text, 'file.yaml')
    } catch (error) {
      return assert.ok((error as Error).message.includes(told), (error as Error).message)
    }
    assert.unreachable('the file was taken')
  })

test('all that is wrong is told at once, a line each', () => {
  try {
    readFile('version: 1\nteams: { a: { titel: b } }\nhosts: { c: { kind: d } }\n', 'file.yaml')
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message.split('\n').length, 2)
  }
})

test('aliases that multiply are refused', () => {
  const lines = ['version: 1', 'a: &a [x,x,x,x,x,x,x,x,x]']
  for (const letter of 'bcdefg') {
    const former = String.fromCharCode(letter.charCodeAt(0) - 1)
    lines.push(`${letter}: &${letter} [${Array(9).fill(`*${former}`).join(',')}]`)
  }
  assert.throws(() => readFile(lines.join('\n'), 'file.yaml'), /alias/i)
})

const SEARCH =
  'version: 1\nservers:\n  search:\n    url: https://s.example.com\n    auth: { headers: { X-Key: VALUE } }\n'

test('a secret that stands in the file itself is refused, and not repeated', async () => {
  const { files, fromFile } = await configurationBench()
  const error = await refusalOf(files.plan(fromFile(SEARCH.replace('VALUE', 'hunter2-hunter2'))))
  assert.match(error.message, 'file.yaml:5:24 servers.search.auth.headers.X-Key: a secret must be given as')
  assert.not.match(error.message, 'hunter2')
})

test('a variable by the name of a secret must refer to it, another may say its value', async () => {
  const { files, fromFile } = await configurationBench()
  const text = (line: string) => `version: 1\nservers: { ev: { command: [x], env: { ${line} } } }\n`
  assert.match(
    (await refusalOf(files.plan(fromFile(text('API_KEY: abc'))))).message,
    'servers.ev.env.API_KEY: a secret',
  )
  assert.is((await files.plan(fromFile(text('DEBUG: "0"')))).length, 1)
})

test('a reference to nothing is refused with its place', async () => {
  const { files, fromFile } = await configurationBench()
  const error = await refusalOf(files.plan(fromFile(SEARCH.replace('VALUE', '"${env:NOWHERE}"'))))
  assert.is(error.code, 'GH_CONFIG_SECRET')
  assert.match(error.message, 'the environment variable NOWHERE is not set')
})

test('a secret with a line end makes no second header', async () => {
  const { files, fromFile } = await configurationBench()
  const text = SEARCH.replace('VALUE', '"${env:KEY}"')
  const error = await refusalOf(files.plan(fromFile(text, { secrets: { 'env:KEY': 'a\r\nX-Evil: b' } })))
  assert.match(error.message, 'is not a header value')
  assert.not.match(error.message, 'X-Evil')
})

test('what the CLI sends along is all that the references need, and nothing else', async () => {
  const file = readFile(SEARCH.replace('VALUE', '"Bearer ${env:KEY}"'), 'file.yaml')
  const secrets = await collectSecrets(file, sourceOf({ 'env:KEY': 'k1', 'env:OTHER': 'k2' }))
  assert.equal(secrets, { 'env:KEY': 'k1' })
})

test('the plugins of a later file configure those of an earlier one and come after them', () => {
  const shipped = { text: 'version: 1\nplugins: [{ use: auth-token }, { use: detect-regex }]', name: 'a', from: '/a' }
  const own = {
    text: 'plugins: [{ use: ./mine }, { use: auth-token, config: { level: 3 } }]\nbad: x',
    name: 'b',
    from: '/b',
  }
  assert.equal(readPlugins([shipped, own]), [
    { use: 'auth-token', config: { level: 3 }, from: '/b' },
    { use: 'detect-regex', config: undefined, from: '/a' },
    { use: './mine', config: undefined, from: '/b' },
  ])
})

test('an unknown key of a plugin line is refused with its place', () => {
  const source = { text: 'plugins:\n  - { use: a, confg: {} }', name: 'b.yaml', from: '/' }
  assert.throws(() => readPlugins([source]), /^b\.yaml:2:15 plugins\[0\]\.confg: unknown key; did you mean config\?$/)
})

test.run()
