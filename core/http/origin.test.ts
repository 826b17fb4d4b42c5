import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createOwnNames } from './origin.js'

const local = createOwnNames('http://localhost:4000', 'localhost')
const open = createOwnNames('https://gate.example.com', '0.0.0.0')

for (const host of ['localhost:4000', 'localhost', '127.0.0.1:9', '[::1]:4000', 'LOCALHOST:4000'])
  test(`on loopback, Host ${host} is ours`, () => assert.ok(local.hostIsOurs(host)))

for (const host of [
  '',
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.nip.io',
  'localhost@evil.example',
  '[::2]',
  'a b',
])
  test(`Host ${JSON.stringify(host)} is foreign`, () => {
    assert.not(local.hostIsOurs(host))
    assert.not(open.hostIsOurs(host))
  })

test('a request without a Host is foreign, one without an Origin is no browser’s', () => {
  assert.not(local.hostIsOurs(undefined))
  assert.ok(local.originIsOurs(undefined))
})

test('a public gateway answers to its public name at any port, and to no name of loopback', () => {
  assert.ok(open.hostIsOurs('gate.example.com'))
  assert.ok(open.hostIsOurs('gate.example.com:8443'))
  assert.not(open.hostIsOurs('localhost'))
  assert.not(open.hostIsOurs('127.0.0.1'))
})

for (const origin of ['null', 'https://evil.example', 'https://gate.example.com.evil.example', 'file://', 'x'])
  test(`Origin ${origin} is foreign`, () => assert.not(open.originIsOurs(origin)))

test('our own pages are ours', () => {
  assert.ok(open.originIsOurs('https://gate.example.com'))
  assert.ok(local.originIsOurs('http://127.0.0.1:6274'))
})

test('what was found foreign stays so, however often it is asked', () => {
  for (let n = 0; n < 3; n += 1) assert.not(local.hostIsOurs('evil.example'))
  for (let n = 0; n < 2_000; n += 1) assert.ok(local.hostIsOurs(`localhost:${n}`))
  assert.not(local.hostIsOurs('evil.example:1999'))
})

test.run()
