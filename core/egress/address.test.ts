import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inBlock, parseBlock, specialRange } from './address.js'

const SPECIAL = {
  '0.0.0.0': 'this network',
  '0.1.2.3': 'this network',
  '10.0.0.1': 'private',
  '100.64.0.1': 'carrier-grade NAT',
  '100.100.100.200': 'metadata of a cloud inside it',
  '127.0.0.1': 'loopback',
  '127.255.255.254': 'loopback',
  '168.63.129.16': 'platform of a cloud on a public-looking address',
  '169.254.169.254': 'metadata, link-local',
  '172.16.0.1': 'private',
  '172.31.255.255': 'private',
  '192.0.0.192': 'protocol assignments',
  '192.0.2.1': 'documentation',
  '192.88.99.1': '6to4 relay',
  '192.168.1.1': 'private',
  '198.18.0.1': 'benchmarking',
  '203.0.113.1': 'documentation',
  '224.0.0.1': 'multicast',
  '240.0.0.1': 'reserved',
  '255.255.255.255': 'broadcast',
  '::': 'unspecified',
  '::1': 'loopback',
  '::127.0.0.1': 'IPv4-compatible',
  '::ffff:127.0.0.1': 'IPv4-mapped',
  '::ffff:8.8.8.8': 'IPv4-mapped, even a public one',
  '::ffff:0:10.0.0.1': 'IPv4-translated',
  '64:ff9b::7f00:1': 'NAT64',
  '64:ff9b::808:808': 'NAT64, even a public one',
  '64:ff9b:1::1': 'local NAT64',
  '100::1': 'discard',
  '2001::1': 'Teredo',
  '2001:db8::1': 'documentation',
  '2002:7f00:1::': '6to4',
  '2002:808:808::1': '6to4, even a public one',
  '3fff::1': 'documentation',
  '4000::1': 'not given out',
  '5f00::1': 'segment routing',
  'fc00::1': 'unique local',
  'fd00:ec2::254': 'metadata of a cloud, unique local',
  'fe80::1': 'link-local',
  'fe80::1%eth0': 'link-local with a zone',
  'fec0::1': 'site-local',
  'ff02::1': 'multicast',
  'not an address': 'nonsense',
}

for (const [address, why] of Object.entries(SPECIAL)) {
  test(`${address} is not public: ${why}`, () => {
    assert.type(specialRange(address), 'string')
  })
}

for (const address of ['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001:81b::200e']) {
  test(`${address} is public`, () => {
    assert.is(specialRange(address), undefined)
  })
}

test('an IPv4-mapped address is not inside an IPv4 block', () => {
  const block = parseBlock('10.0.0.0/8')
  assert.ok(block)
  assert.is(inBlock('10.1.2.3', block), true)
  assert.is(inBlock('11.1.2.3', block), false)
  assert.is(inBlock('::ffff:10.1.2.3', block), false)
})

test('a block is a CIDR or one address in its plain spelling', () => {
  for (const text of ['10.0.0.0/8', '10.0.0.1', 'fd00::/8', '::1']) assert.ok(parseBlock(text), text)
  for (const text of ['10.1', '0x7f.0.0.1', '127.1', 'localhost', '10.0.0.0/33', ''])
    assert.not.ok(parseBlock(text), text)
})

test.run()
