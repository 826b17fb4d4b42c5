import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isLoopback, isLoopbackName } from './loopback.js'

test('this machine is known by its addresses and by no name that begins like one', () => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]']) assert.ok(isLoopback(host), host)
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'example.com',
    '127.example.com',
    '127.0.0.1.example.com',
    'x127.0.0.1',
    '',
  ])
    assert.not(isLoopback(host), host)
  assert.not(isLoopbackName('127.9.9.9'))
})

test.run()
