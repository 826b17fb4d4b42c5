import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { GatehouseError } from '../errors.js'
import { createHops, HOP_HEADER, type Vouched } from './hop.js'

const [oldKey, newKey] = [randomBytes(32), randomBytes(32)]
const request: Vouched = {
  to: 'bbbb',
  method: 'POST',
  path: '/mcp/house?x=1',
  body: Buffer.from('{}'),
  address: '192.0.2.7',
}
const hops = (self: string, keys: readonly Uint8Array[] = [oldKey], now = () => 1_000_000) =>
  createHops({ self, keys, now })
const req = (header: string | undefined, { method = 'POST', url = '/mcp/house?x=1' } = {}) =>
  ({ method, url, headers: header === undefined ? {} : { [HOP_HEADER]: header } }) as unknown as IncomingMessage
const codeOf = (work: () => unknown): string => {
  try {
    return String(work())
  } catch (thrown) {
    return (thrown as GatehouseError).code
  }
}

test('what one replica vouches for holds at the other: where it came from, and its body', () => {
  const hop = hops('bbbb').read(req(hops('aaaa').vouch(request)))
  assert.is(hop?.from, 'aaaa')
  assert.is(hop?.address, '192.0.2.7')
  hop?.fits(Buffer.from('{}'))
  assert.is(
    codeOf(() => hop?.fits(Buffer.from('{ }'))),
    'GH_DOOR_HOP',
  )
})

test('a request without the header is a client’s', () => {
  assert.is(hops('bbbb').read(req(undefined)), null)
})

test('what was vouched for holds for that request, that replica, that key and 30 seconds alone', () => {
  const good = hops('aaaa').vouch(request)
  const [said = '', mac = ''] = good.split('.')
  const forged = JSON.parse(Buffer.from(said, 'base64url').toString()) as unknown[]
  forged[4] = '203.0.113.1'
  const refused: Readonly<Record<string, () => unknown>> = {
    'another path': () => hops('bbbb').read(req(good, { url: '/mcp/other' })),
    'another verb': () => hops('bbbb').read(req(good, { method: 'GET' })),
    'another replica': () => hops('cccc').read(req(good)),
    'another key': () => hops('bbbb', [newKey]).read(req(good)),
    'no key': () => hops('bbbb', []).read(req(said)),
    'another address': () =>
      hops('bbbb').read(req(`${Buffer.from(JSON.stringify(forged)).toString('base64url')}.${mac}`)),
    'too late': () => hops('bbbb', [oldKey], () => 1_030_001).read(req(good)),
    'a clock far behind': () => hops('bbbb', [oldKey], () => 960_000).read(req(good)),
  }
  for (const [what, read] of Object.entries(refused)) assert.is(codeOf(read), 'GH_DOOR_HOP', what)
  assert.ok(hops('bbbb', [oldKey], () => 1_030_000).read(req(good)))
  for (const header of ['', '.', 'x', 'x.y', `${said}.`, `.${mac}`, `${said}.${'a'.repeat(43)}`, '.'.repeat(100)])
    assert.is(
      codeOf(() => hops('bbbb').read(req(header))),
      'GH_DOOR_HOP',
      header,
    )
})

test('while keys are rotated, replicas with the old, both and the new one understand each other where they share one', () => {
  const [before, between, after] = [[oldKey], [newKey, oldKey], [newKey]]
  for (const [from, to] of [
    [before, between],
    [between, before],
    [between, after],
    [after, between],
  ] as const)
    assert.ok(hops('bbbb', to).read(req(hops('aaaa', from).vouch(request))))
})

test.run()
