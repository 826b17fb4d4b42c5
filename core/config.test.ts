import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readConfig } from './config.js'
import { GatehouseError } from './errors.js'

function refusal(env: Readonly<Record<string, string>>): string {
  try {
    readConfig(env)
  } catch (thrown) {
    assert.instance(thrown, GatehouseError)
    assert.is((thrown as GatehouseError).code, 'GH_CONFIG_INVALID')
    return (thrown as GatehouseError).message
  }
  return assert.unreachable(`accepted ${JSON.stringify(env)}`) as never
}

test('an empty environment gives the defaults', () => {
  assert.equal(readConfig({}), {
    port: 4000,
    host: 'localhost',
    url: 'http://localhost:4000',
    home: '.gatehouse',
    databaseUrl: null,
    masterKey: null,
    masterKeyFile: null,
    file: null,
    egressAllow: [],
    stdio: false,
    tls: null,
    trustedProxies: [],
    replicaUrl: null,
    mail: null,
    httpsProxy: null,
    noProxy: null,
    logLevel: 'info',
  })
})

test('an empty text counts as unset, for every variable', () => {
  const names = ['PORT', 'HOST', 'DATABASE_URL', 'HTTPS_PROXY', 'NO_PROXY', 'LOG_LEVEL']
  const ours = [
    'URL',
    'HOME',
    'MASTER_KEY',
    'MASTER_KEY_FILE',
    'CONFIG',
    'EGRESS_ALLOW',
    'STDIO',
    'TLS_CERT',
    'TLS_KEY',
    'TRUSTED_PROXIES',
    'REPLICA_URL',
  ]
  const all = [...names, ...ours.map((name) => `GATEHOUSE_${name}`)]
  assert.equal(readConfig(Object.fromEntries(all.map((name) => [name, '']))), readConfig({}))
})

test('what else is in the environment does not matter', () => {
  assert.equal(readConfig({ PATH: '/bin', GATEHOUSE_TOKEN: 'gpat_x', GONE: undefined }), readConfig({}))
})

test('every variable is read', () => {
  const config = readConfig({
    PORT: '8443',
    HOST: '::1',
    GATEHOUSE_URL: 'https://gate.example.com',
    GATEHOUSE_HOME: '/data',
    DATABASE_URL: 'postgresql://u:p@db/x',
    GATEHOUSE_MASTER_KEY: 'k1,k2',
    GATEHOUSE_MASTER_KEY_FILE: '/run/key',
    GATEHOUSE_CONFIG: 'gatehouse.yaml',
    GATEHOUSE_EGRESS_ALLOW: ' 10.0.0.0/8, ,intra.example.com ',
    GATEHOUSE_STDIO: 'on',
    GATEHOUSE_TLS_CERT: 'c.pem',
    GATEHOUSE_TLS_KEY: 'k.pem',
    GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1/32',
    GATEHOUSE_REPLICA_URL: 'http://10.1.1.1:4000/',
    GATEHOUSE_SMTP_URL: 'smtps://u:p@mail.example.com',
    GATEHOUSE_MAIL_FROM: 'Gatehouse <g@example.com>',
    HTTPS_PROXY: 'http://proxy:3128',
    NO_PROXY: 'localhost',
    LOG_LEVEL: 'debug',
  })
  assert.equal(config, {
    port: 8443,
    host: '::1',
    url: 'https://gate.example.com',
    home: '/data',
    databaseUrl: 'postgresql://u:p@db/x',
    masterKey: 'k1,k2',
    masterKeyFile: '/run/key',
    file: 'gatehouse.yaml',
    egressAllow: ['10.0.0.0/8', 'intra.example.com'],
    stdio: true,
    tls: { cert: 'c.pem', key: 'k.pem' },
    trustedProxies: ['127.0.0.1/32'],
    replicaUrl: 'http://10.1.1.1:4000',
    mail: { url: 'smtps://u:p@mail.example.com', from: 'Gatehouse <g@example.com>' },
    httpsProxy: 'http://proxy:3128',
    noProxy: 'localhost',
    logLevel: 'debug',
  })
})

test('a refused value names its variable and says what it should be', () => {
  const cases: [string, string, RegExp][] = [
    ...['abc', '-1', '65536', '4000.5', '0x10', '1e3', ' 80', '999999'].map((value): [string, string, RegExp] => [
      'PORT',
      value,
      /^PORT: must be a number from 0 to 65535$/,
    ]),
    ...['GATEHOUSE_URL', 'GATEHOUSE_REPLICA_URL'].flatMap((name) =>
      [
        'example.com',
        'ftp://example.com',
        'javascript:alert(1)',
        'http:example.com',
        'https://',
        'https://example.com/gate',
        'https://example.com//',
        'https://example.com?a=b',
        'https://example.com/?',
        'https://example.com#a',
        'https://u:p@example.com',
        'https://u@example.com',
      ].map((value): [string, string, RegExp] => [
        name,
        value,
        new RegExp(`^${name}: must be an http or https URL without`),
      ]),
    ),
    ['DATABASE_URL', 'mysql://u:p@db/x', /^DATABASE_URL: must be a postgres/],
    ['GATEHOUSE_STDIO', 'true', /^GATEHOUSE_STDIO: .*"on"\|"off"/],
    ['LOG_LEVEL', 'loud', /^LOG_LEVEL: .*"info"/],
  ]
  for (const [name, value, expected] of cases) assert.match(refusal({ [name]: value }), expected, `${name}=${value}`)
})

test('a refusal never says the value, which may hold a secret', () => {
  for (const name of ['DATABASE_URL', 'GATEHOUSE_URL', 'GATEHOUSE_REPLICA_URL', 'GATEHOUSE_STDIO', 'LOG_LEVEL', 'PORT'])
    assert.not.match(refusal({ [name]: 'ftp://root:hunter2@db' }), 'hunter2')
})

test('the URL is kept in its one spelling', () => {
  for (const url of ['https://Gate.Example.com', 'HTTPS://gate.example.com/', 'https://gate.example.com:443'])
    assert.is(readConfig({ GATEHOUSE_URL: url }).url, 'https://gate.example.com')
  assert.is(readConfig({ GATEHOUSE_URL: 'http://[::1]:4000/' }).url, 'http://[::1]:4000')
})

test('without a URL it is localhost on the port, https when it serves TLS itself, unknown on port 0', () => {
  assert.is(readConfig({ PORT: '5000', HOST: '0.0.0.0' }).url, 'http://localhost:5000')
  assert.is(readConfig({ GATEHOUSE_TLS_CERT: 'c', GATEHOUSE_TLS_KEY: 'k' }).url, 'https://localhost:4000')
  assert.is(readConfig({ PORT: '0' }).url, null)
})

test('a certificate and its key come together', () => {
  for (const name of ['GATEHOUSE_TLS_CERT', 'GATEHOUSE_TLS_KEY'])
    assert.match(refusal({ [name]: 'x.pem' }), /come together/)
})

test('the configuration is frozen, and what is in it too', () => {
  const config = readConfig({ GATEHOUSE_TLS_CERT: 'c', GATEHOUSE_TLS_KEY: 'k', GATEHOUSE_EGRESS_ALLOW: 'a' })
  assert.throws(() => Object.assign(config, { stdio: true }))
  assert.throws(() => (config.egressAllow as string[]).push('0.0.0.0/0'))
  assert.throws(() => (readConfig({}).trustedProxies as string[]).push('0.0.0.0/0'))
  assert.throws(() => Object.assign(config.tls ?? {}, { cert: 'x' }))
})

test.run()
