import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { AlertDelivery, DeliveryAnswer, PluginDial, ToldAlert } from '@gatehouse/sdk'
import { startPlugin } from '@gatehouse/sdk/testing'
import { SMTPServer } from 'smtp-server'
import type { SMTPServerOptions } from 'smtp-server'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import plugin from './index.js'

/** A real mail server on this machine. */
async function mailServer(options: SMTPServerOptions = {}) {
  const mails: { readonly raw: string; readonly to: readonly string[]; readonly isSecure: boolean }[] = []
  const logins: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, done) => {
      logins.push(`${username}:${password}`)
      if (password === 'right password') done(null, { user: username })
      else done(Object.assign(new Error('Invalid credentials'), { responseCode: 535 }))
    },
    onData: (stream, { envelope, secure }, done) =>
      void text(stream).then((raw) => {
        mails.push({
          raw: raw.replaceAll('\r\n ', ' '),
          to: envelope.rcptTo.map(({ address }) => address),
          isSecure: secure,
        })
        done()
      }),
    closeTimeout: 100,
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.server.address() as AddressInfo
  return { port, mails, logins, close: () => new Promise<void>((done) => server.close(() => done())) }
}

/** Stands in for the guarded way out, and keeps what it was asked for. */
function dialing() {
  const asked: Parameters<PluginDial>[0][] = []
  const sockets: Socket[] = []
  const dial: PluginDial = (place) => {
    asked.push(place)
    return new Promise((resolve, reject) => {
      const socket = connect(place.port, '127.0.0.1', () => resolve(socket)).once('error', reject)
      sockets.push(socket)
    })
  }
  return { dial, asked, sockets }
}

const ALERT: ToldAlert = {
  ...{
    id: 'a-1',
    type: 'server_unreachable',
    severity: 'error',
    key: 'crm',
    message: 'Server "crm" cannot be reached',
  },
  ...{ count: 12, state: 'open', firstAt: '2026-11-25T10:00:00.000Z', lastAt: '2026-11-25T10:05:00.000Z' },
  ...{ gateway: null, server: 'crm', rule: null, user: null },
  url: 'https://gate.example.com/console/alerts/a-1',
}
const CONFIG = { host: 'localhost', from: 'gatehouse@example.com', to: ['ops@example.com', 'ana@example.com'] }
const deliveryTo = (config: object, more: object = { kind: 'alert', alert: ALERT }): AlertDelivery =>
  ({
    ...{ id: 'd-1', attempt: 1, isTest: false, service: { name: 'gatehouse', version: '0.1.0' } },
    target: { id: 't', name: 'ops', config: { ...CONFIG, ...config } },
    ...more,
  }) as unknown as AlertDelivery

async function send(delivery: AlertDelivery, way = dialing()): Promise<DeliveryAnswer> {
  const host = await startPlugin(plugin, {}, { dial: way.dial })
  return host.askKeyed('alert.deliver', 'alert-email', delivery)
}
/** A subject may be encoded word by word (RFC 2047). */
const subjectOf = (raw: string): string => {
  const [, line = ''] = /^Subject: (.*)$/m.exec(raw) ?? []
  const words = line
    .trim()
    .replaceAll(/\?= =\?UTF-8\?Q\?/g, '')
    .replaceAll(/=\?UTF-8\?Q\?|\?=/g, '')
  return plain(words === line.trim() ? words : words.replaceAll('_', ' '))
}
/** Parts of a mail, decoded as far as these tests need. */
const plain = (raw: string): string =>
  raw
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

test('an alert arrives at everyone, as text and as HTML, with a link and an id of its own', async () => {
  const { port, mails, close } = await mailServer()
  const way = dialing()
  assert.equal(await send(deliveryTo({ port, tls: 'none' }), way), { kind: 'delivered' })
  const [mail = { raw: '', to: [], isSecure: true }] = mails
  assert.equal(mail.to, ['ops@example.com', 'ana@example.com'])
  assert.is(subjectOf(mail.raw), '[error] Server "crm" cannot be reached')
  assert.match(mail.raw, 'Message-ID: <d-1@example.com>')
  assert.match(mail.raw, 'Auto-Submitted: auto-generated')
  assert.match(mail.raw, 'text/plain')
  assert.match(mail.raw, 'text/html')
  assert.match(plain(mail.raw), 'repeats: 12 times, first at 2026-11-25T10:00:00.000Z')
  assert.match(plain(mail.raw), '<a href="https://gate.example.com/console/alerts/a-1">Open the alert</a>')
  assert.equal(
    way.asked.map(({ host, tls }) => [host, tls]),
    [['localhost', false]],
  )
  assert.ok(
    way.sockets.every((socket) => socket.destroyed),
    'the connection is closed',
  )
  await close()
})

test('a digest is one mail', async () => {
  const { port, mails, close } = await mailServer()
  const digest = {
    total: 47,
    bySeverity: { error: 1, warning: 46, info: 0 },
    alerts: [ALERT],
    url: 'https://gate.example.com/console/alerts',
  }
  await send(deliveryTo({ port, tls: 'none' }, { kind: 'digest', digest }))
  assert.is(mails.length, 1)
  assert.is(subjectOf(mails[0]?.raw ?? ''), '47 more alerts: 1 error, 46 warning')
  assert.match(plain(mails[0]?.raw ?? ''), /and 46 others/)
  await close()
})

test('words of others make no header, no markup and no recipient', async () => {
  const { port, mails, close } = await mailServer()
  const message = 'x\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>'
  await send(deliveryTo({ port, tls: 'none' }, { kind: 'alert', alert: { ...ALERT, message } }))
  const [mail = { raw: '', to: [] }] = mails
  assert.is(mail.to.length, 2)
  const [head = ''] = mail.raw.split('\r\n\r\n')
  assert.not.match(head, /^Bcc:/m)
  const html = plain(mail.raw.slice(mail.raw.indexOf('Content-Type: text/html')))
  assert.not.match(html, '<script>')
  await close()
})

test('a mail server without STARTTLS gets neither the mail nor the password, unless TLS was switched off', async () => {
  const { port, mails, logins, close } = await mailServer()
  const answer = await send(deliveryTo({ port, user: 'u', password: 'right password' }))
  assert.is.not(answer.kind, 'delivered')
  assert.equal([mails, logins], [[], []])
  await close()
})

test('STARTTLS with a certificate that nobody vouches for gets neither the mail nor the password', async () => {
  // The server's own test certificate is signed by nobody.
  const { port, mails, logins, close } = await mailServer({ disabledCommands: [] })
  const way = dialing()
  const answer = await send(deliveryTo({ port, user: 'u', password: 'right password' }), way)
  assert.is(answer.kind, 'retry')
  assert.match(JSON.stringify(answer), /certificate|TLS/i)
  assert.equal([mails, logins], [[], []])
  assert.is(way.asked[0]?.tls, 'starttls')
  await close()
})

test('a password that is wrong is refused for good, and never told', async () => {
  const { port, mails, close } = await mailServer({ allowInsecureAuth: true })
  const wrong = await send(deliveryTo({ port, tls: 'none', user: 'u', password: 'wrong swordfish' }))
  assert.is(wrong.kind, 'rejected')
  assert.not.match(JSON.stringify(wrong), 'swordfish')
  assert.equal(await send(deliveryTo({ port, tls: 'none', user: 'u', password: 'right password' })), {
    kind: 'delivered',
  })
  assert.is(mails.length, 1)
  await close()
})

test('a full mailbox is tried again, an address that does not exist is not', async () => {
  const says = (code: number) =>
    mailServer({ onRcptTo: (_, _session, done) => done(Object.assign(new Error('no'), { responseCode: code })) })
  for (const [code, kind] of [
    [452, 'retry'],
    [550, 'rejected'],
  ] as const) {
    const { port, close } = await says(code)
    const answer = await send(deliveryTo({ port, tls: 'none' }))
    assert.equal([answer.kind, 'status' in answer && answer.status], [kind, code])
    await close()
  }
  const nobody: PluginDial = () => Promise.reject(new Error('cannot be reached'))
  assert.is((await send(deliveryTo({ port: 1 }), { ...dialing(), dial: nobody })).kind, 'retry')
})

test('a mail server that says nothing holds a call for no longer than the call lasts', async () => {
  const silent = await mailServer({ onConnect: () => undefined })
  const host = await startPlugin(plugin, {}, { dial: dialing().dial })
  const signal = AbortSignal.timeout(200)
  const started = Date.now()
  const answer = await host.askKeyed('alert.deliver', 'alert-email', deliveryTo({ port: silent.port, tls: 'none' }), {
    signal,
  })
  assert.is(answer.kind, 'retry')
  assert.ok(Date.now() - started < 5_000)
  void silent.close()
})

test('a target that cannot work is refused when it is saved', async () => {
  const { options } = await startPlugin(plugin)
  const { config, secret } = options.get('alert.deliver/alert-email') ?? {}
  assert.equal(secret, ['password'])
  assert.ok(config?.safeParse(CONFIG).success)
  for (const wrong of [
    { to: [] },
    { to: ['ops@example.com, evil@example.com'] },
    { to: ['ops@example.com\r\nBcc: x@example.com'] },
    { from: 'nobody' },
    { host: 'a b' },
    { host: 'https://mail.example.com' },
    { port: 0 },
    { user: 'u' },
    { password: 'p' },
    { surprise: 1 },
  ])
    assert.not(config?.safeParse({ ...CONFIG, ...wrong }).success, JSON.stringify(wrong))
})

test.run()
