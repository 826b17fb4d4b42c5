import type { IncomingMessage } from 'node:http'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createAddressOf } from './peer.js'

const from = (remoteAddress: string | undefined, forwarded?: string) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage

test('without trusted proxies nobody is believed', () => {
  const addressOf = createAddressOf([])
  assert.is(addressOf(from('192.0.2.1', '203.0.113.9')), '192.0.2.1')
})

test('whoever is no trusted proxy is not believed', () => {
  const addressOf = createAddressOf(['10.0.0.0/8'])
  assert.is(addressOf(from('192.0.2.1', '203.0.113.9')), '192.0.2.1')
})

test('a trusted proxy names the client, and what the client wrote before does not count', () => {
  const addressOf = createAddressOf(['10.0.0.0/8'])
  assert.is(addressOf(from('10.0.0.2', '203.0.113.9')), '203.0.113.9')
  assert.is(addressOf(from('10.0.0.2', '1.1.1.1, 203.0.113.9')), '203.0.113.9', 'a forged first hop')
  assert.is(addressOf(from('10.0.0.2', '203.0.113.9, 10.0.0.7')), '203.0.113.9', 'a chain of our own proxies')
})

test('a chain that names nobody else is the proxy itself', () => {
  const addressOf = createAddressOf(['10.0.0.0/8'])
  for (const forwarded of [undefined, '', 'unknown', '10.0.0.3', '<script>'])
    assert.is(addressOf(from('10.0.0.2', forwarded)), '10.0.0.2', String(forwarded))
})

test('IPv4 within IPv6 is the same address', () => {
  const addressOf = createAddressOf(['10.0.0.2', '2001:db8::/32'])
  assert.is(addressOf(from('::ffff:10.0.0.2', '203.0.113.9')), '203.0.113.9')
  assert.is(addressOf(from('::ffff:192.0.2.1')), '192.0.2.1')
  assert.is(addressOf(from('2001:db8::1', '2001:db9::7')), '2001:db9::7')
  assert.is(addressOf(from('10.0.0.2', '::ffff:203.0.113.9')), '203.0.113.9', 'as some proxies write it')
  assert.is(addressOf(from('10.0.0.2', '::FFFF:203.0.113.9')), '203.0.113.9')
})

test('a socket that is gone has no address, and breaks nothing', () => {
  assert.is(createAddressOf(['10.0.0.0/8'])(from(undefined)), '')
})

for (const text of ['10.0.0.0/99', 'proxy.internal', '', '10.0.0.0/'])
  test(`${JSON.stringify(text)} is refused as a trusted proxy`, () => {
    assert.throws(() => createAddressOf([text]), /GATEHOUSE_TRUSTED_PROXIES/)
  })

test.run()
