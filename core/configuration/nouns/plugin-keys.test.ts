import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mustNotFollow, originOf } from './plugin-keys.js'

const move = (before: string, after: string, given: object = {}) => {
  const addresses = ['url', 'host', 'port']
  const keys = (host: string) => ({ host, port: 587, password: 'kept', ...given })
  mustNotFollow(keys(before), keys(after), { addresses, secrets: ['password'], given: { host: after, ...given } })
}

test('a secret follows to no other host, whatever the name of the host looks like', () => {
  for (const [before, after] of [
    ['smtp.example.com', 'evil.example.com'],
    ['fd00::5', 'fe80::66'],
    ['fd00::5', 'evil:25'],
    ['127.0.0.1', '::1'],
  ] as const)
    assert.throws(() => move(before, after), /password|secret anew/)
  move('fd00::5', 'fd00::5')
  move('fd00::5', 'fe80::66', { password: 'given anew' })
})

test('of a URL the origin counts, and of anything else the whole', () => {
  assert.is(originOf('https://a.example.com/x'), originOf('https://a.example.com/y?z'))
  assert.is.not(originOf('mailto:ana@a.example.com'), originOf('mailto:ana@b.example.com'))
  assert.is(originOf(587), '587')
})

test.run()
