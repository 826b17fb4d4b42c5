import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseAllowList } from './allow-list.js'
import { createPolicy } from './policy.js'
import { GatehouseError } from '../errors.js'

function policy(allow: readonly string[] = [], loopback = false) {
  return createPolicy({ allow: parseAllowList(allow), loopback })
}

function isRefused(error: unknown): boolean {
  return error instanceof GatehouseError && error.code === 'GH_EGRESS_REFUSED'
}

const target = (url: string, allow?: readonly string[], loopback?: boolean) =>
  policy(allow, loopback).target(new URL(url))

for (const url of [
  'https://127.0.0.1/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0177.0.0.1/',
  'https://127.0.0.1./',
  'https://[::1]/',
  'https://[::]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[fd00::1]/',
  'https://10.0.0.1/',
  'https://100.64.0.1/',
  'https://169.254.169.254/latest/meta-data',
  'https://0.0.0.0/',
  'https://localhost/',
  'https://LOCALHOST./',
  'https://app.localhost/',
]) {
  test(`refuses ${url} by its URL alone`, () => {
    assert.throws(() => target(url), isRefused)
  })
}

for (const url of ['ftp://example.com/', 'file:///etc/passwd', 'ws://example.com/', 'data:text/plain,x']) {
  test(`refuses the scheme of ${url}`, () => {
    assert.throws(() => target(url, ['example.com']), isRefused)
  })
}

test('refuses userinfo and does not repeat it', () => {
  assert.throws(
    () => target('https://user:hunter2@example.com/'),
    (error: Error) => isRefused(error) && !error.message.includes('hunter2'),
  )
})

test('ports of other services are left alone, save where the operator or loopback opens them', () => {
  for (const port of [22, 25, 6_667, 10_080]) {
    assert.throws(() => target(`https://example.com:${port}/`), isRefused)
    assert.throws(() => target(`https://example.com:${port}/`, ['other.example'], true), isRefused)
    assert.is(target(`https://example.com:${port}/`, [`example.com:${port}`]).port, port)
    assert.is(target(`http://127.0.0.1:${port}/`, [], true).port, port)
    assert.is(policy().place('mail.example.com', port, true).port, port)
  }
})

test('plain http needs a listed host, a listed address or loopback', () => {
  assert.throws(() => target('http://example.com/'), isRefused)
  assert.throws(() => target('http://8.8.8.8/'), isRefused)
  assert.is(target('http://engine.corp/', ['engine.corp']).port, 80)
  assert.is(target('http://10.0.0.5:8080/', ['10.0.0.0/8']).port, 8080)
  assert.is(target('http://localhost:3000/', [], true).host, 'localhost')
})

test('a name over plain http passes only if every address is listed', () => {
  const rules = policy(['10.0.0.0/8'])
  const named = rules.target(new URL('http://crm.corp/'))
  rules.admit(named, ['10.0.0.1', '10.0.0.2'])
  assert.throws(() => rules.admit(named, ['10.0.0.1', '8.8.8.8']), isRefused)
})

test('one bad answer of DNS refuses all', () => {
  const rules = policy()
  const named = rules.target(new URL('https://example.com/'))
  rules.admit(named, ['8.8.8.8', '2606:4700::1111'])
  assert.throws(() => rules.admit(named, ['8.8.8.8', '10.0.0.1']), isRefused)
  assert.throws(() => rules.admit(named, ['10.0.0.1', '8.8.8.8']), isRefused)
})

test('no answer of DNS is a refusal, not a pass', () => {
  const rules = policy()
  assert.throws(() => rules.admit(rules.target(new URL('https://example.com/')), []), isRefused)
})

test('loopback opens loopback and nothing else', () => {
  const rules = policy([], true)
  const local = rules.target(new URL('http://localhost:8080/'))
  rules.admit(local, ['127.0.0.1', '::1'])
  assert.throws(() => rules.admit(local, ['10.0.0.1']), isRefused)
  assert.throws(() => target('https://10.0.0.1/', [], true), isRefused)
  assert.throws(() => target('https://[::ffff:127.0.0.1]/', [], true), isRefused)
})

test('a listed name opens private networks, but cloud metadata has to be listed as an address', () => {
  const rules = policy(['engine.corp'])
  const named = rules.target(new URL('https://engine.corp/'))
  for (const address of ['10.0.0.1', '127.0.0.1', '100.64.0.1', 'fd00::1']) rules.admit(named, [address])
  for (const address of ['169.254.169.254', '0.0.0.0', '::', '224.0.0.1', '168.63.129.16', 'fe80::1'])
    assert.throws(() => rules.admit(named, [address]), isRefused)
  policy(['169.254.169.254']).target(new URL('http://169.254.169.254/'))
})

test('a listed name opens nothing to other names', () => {
  const rules = policy(['engine.corp'])
  assert.throws(() => rules.admit(rules.target(new URL('https://example.com/')), ['10.0.0.1']), isRefused)
})

test('a refusal names the host and the setting that lifts it, and keeps the address for the log', () => {
  const rules = policy()
  try {
    rules.admit(rules.target(new URL('https://crm.example/secret-path')), ['10.9.8.7'])
    assert.unreachable()
  } catch (error) {
    assert.ok(error instanceof GatehouseError)
    assert.match(error.message, 'crm.example')
    assert.match(error.message, 'GATEHOUSE_EGRESS_ALLOW')
    assert.not.match(error.message, '10.9.8.7')
    assert.not.match(error.message, 'secret-path')
    assert.match(error.detail ?? '', '10.9.8.7')
  }
})

test.run()
