import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseAllowList } from './allow-list.js'

test('a CIDR and an address allow every port', () => {
  const list = parseAllowList(['10.0.0.0/8', '192.168.1.5', 'fd00::/8'])
  assert.ok(list.hasAddress('10.2.3.4', 80))
  assert.ok(list.hasAddress('192.168.1.5', 8443))
  assert.ok(list.hasAddress('fd12::1', 443))
  assert.not.ok(list.hasAddress('192.168.1.6', 8443))
})

test('a port narrows an entry to itself', () => {
  const list = parseAllowList(['10.0.0.0/8:8080', '[fd00::/8]:9000', '[::1]:9001', 'engine.corp:7000'])
  assert.ok(list.hasAddress('10.2.3.4', 8080))
  assert.not.ok(list.hasAddress('10.2.3.4', 80))
  assert.ok(list.hasAddress('fd12::1', 9000))
  assert.not.ok(list.hasAddress('fd12::1', 9001))
  assert.ok(list.hasAddress('::1', 9001))
  assert.ok(list.hasHost('engine.corp', 7000))
  assert.not.ok(list.hasHost('engine.corp', 7001))
})

test('a host name covers itself alone, and a wildcard only what is below it', () => {
  const list = parseAllowList(['Engine.Corp.', '*.svc.cluster.local'])
  assert.ok(list.hasHost('engine.corp', 443))
  assert.not.ok(list.hasHost('a.engine.corp', 443))
  assert.not.ok(list.hasHost('evilengine.corp', 443))
  assert.ok(list.hasHost('crm.prod.svc.cluster.local', 80))
  assert.not.ok(list.hasHost('svc.cluster.local', 80))
  assert.not.ok(list.hasHost('evilsvc.cluster.local', 80))
})

test('names may lead to listed addresses at the ports of these alone', () => {
  assert.ok(parseAllowList(['10.0.0.0/8']).hasBlocks(443))
  assert.ok(parseAllowList(['10.0.0.1:8080']).hasBlocks(8080))
  assert.not.ok(parseAllowList(['10.0.0.1:8080', 'crm.corp']).hasBlocks(443))
})

for (const entry of [
  '*',
  '*.',
  '',
  'a b',
  'http://a',
  '10.0.0.0/33',
  '10.1',
  '300.1.1.1',
  'host:0',
  'host:70000',
  'host:x',
  'a..b',
]) {
  test(`"${entry}" refuses the start and is named`, () => {
    assert.throws(
      () => parseAllowList([entry]),
      (error: Error) => 'code' in error && error.code === 'GH_CONFIG_INVALID' && error.message.includes(`"${entry}"`),
    )
  })
}

test.run()
