import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { networkOf } from './network.js'

test('a network of IPv6 is counted as one, however it is written, and every address of IPv4', () => {
  assert.is(networkOf('2001:db8:1:2:3::4'), networkOf('2001:0DB8:0001:2::9'))
  assert.is.not(networkOf('2001:db8:1:2::9'), networkOf('2001:db8:1:3::9'))
  assert.is(networkOf('::1'), networkOf('0:0:0:0:5:6:7:8'))
  assert.is(networkOf('192.0.2.1'), '192.0.2.1')
  assert.is(networkOf(''), '')
})

test.run()
