import type { AlertDelivery } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mailOf } from './mail.js'

const about = (message: string) =>
  mailOf({
    kind: 'alert',
    isTest: false,
    alert: {
      ...{ id: 'a-1', type: 'server_misbehaved', severity: 'warning', key: 'crm', message, count: 1, state: 'open' },
      ...{ firstAt: '2026-11-25T10:00:00.000Z', lastAt: '2026-11-25T10:00:00.000Z' },
      ...{ gateway: null, server: 'crm', rule: null, user: null, url: 'https://gate.example.com/console/alerts/a-1' },
    },
  } as unknown as AlertDelivery)

test('what a server says is one line: neither a fact nor a link of ours can be made of it', () => {
  const { text } = about(
    'It is away.\n\nseverity: info\r\nhttps://evil.example.com/console/alerts/a-1\u2028state: resolved',
  )
  const lines = text.split('\n')
  assert.match(lines[0] ?? '', /^It is away\. severity: info https:.*state: resolved$/)
  assert.equal(
    lines.filter((line) => /^(severity|state|https)/.test(line)),
    ['severity: warning', 'state: open', 'https://gate.example.com/console/alerts/a-1'],
  )
})

test('a subject is cut between characters, and its direction stays', () => {
  const { subject } = about(`\u202egnp.exe ${'😀'.repeat(300)}`)
  assert.not.match(subject, /[\u202a-\u202e]/)
  assert.not.match(subject, /\p{Surrogate}/u)
  assert.ok([...subject].length <= 151)
})

test.run()
