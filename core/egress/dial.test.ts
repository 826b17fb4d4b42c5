import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { createServer as createSecureServer } from 'node:tls'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEgress } from './egress.js'
import type { Egress, EgressOptions } from './egress.js'
import { fakeLookup, listen, rejectsWith, TEST_CERTIFICATE, TEST_KEY } from './testing.js'

interface Scene {
  readonly egress: Egress
  readonly port: number
}

const greet = (socket: Socket) => void socket.on('error', () => {}).end('220 ready')
const plain = () => createServer(greet)
/** As mail servers are: what is offered by ALPN and is not theirs they refuse. */
const secure = () =>
  createSecureServer({ cert: TEST_CERTIFICATE, key: TEST_KEY, ALPNProtocols: ['smtp'] }, greet).on(
    'tlsClientError',
    () => {},
  )

async function scene(
  door: ReturnType<typeof plain>,
  options: Partial<EgressOptions>,
  use: (scene: Scene) => Promise<void>,
) {
  const server = await listen(door)
  const egress = createEgress({ allow: [], loopback: false, ...options })
  try {
    await use({ egress, port: server.port })
  } finally {
    await egress.stop()
    await server.stop()
  }
}

async function said(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const HERE = { allow: ['127.0.0.1'], lookup: fakeLookup(['127.0.0.1'], ['10.0.0.1']).lookup }

test('a dialled socket goes to the address that was checked, resolved once', async () => {
  const { lookup, asked } = fakeLookup(['127.0.0.1'], ['127.0.0.2'])
  await scene(plain(), { allow: ['127.0.0.1'], lookup }, async ({ egress, port }) => {
    assert.is(await said(await egress.dial({ host: 'mail.example', port, tls: 'starttls' })), '220 ready')
    assert.equal(asked, ['mail.example'])
  })
})

for (const address of ['10.0.0.1', '127.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1', 'fd00::1']) {
  test(`dial refuses ${address}, as an address and as what a name leads to`, async () => {
    await scene(plain(), { lookup: fakeLookup([address]).lookup }, async ({ egress, port }) => {
      for (const tls of [true, 'starttls', false] as const) {
        await rejectsWith('GH_EGRESS_REFUSED', egress.dial({ host: address, port, tls }))
        await rejectsWith('GH_EGRESS_REFUSED', egress.dial({ host: 'mail.example', port, tls }))
      }
    })
  })
}

test('other spellings of an address are refused like the address', async () => {
  await scene(plain(), {}, async ({ egress, port }) => {
    for (const host of [
      '127.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '１２７.0.0.1',
      '127.0.0.1.',
      '%31%32%37.0.0.1',
    ])
      await rejectsWith('GH_EGRESS_REFUSED', egress.dial({ host, port, tls: true }))
  })
})

test('what is no host or no port is refused', async () => {
  await scene(plain(), HERE, async ({ egress, port }) => {
    for (const host of ['', 'a b', 'user@a', 'a/b', 'a?b', 'a#b', 'a\\b', 'a:25', '[::1]', 'a\tb'])
      await rejectsWith('GH_EGRESS_REFUSED', egress.dial({ host, port, tls: true }))
    for (const wrong of [0, -1, 65_536, 1.5, Number.NaN])
      await rejectsWith('GH_EGRESS_REFUSED', egress.dial({ host: 'mail.example', port: wrong, tls: true }))
  })
})

test('without TLS only what the operator listed is dialled', async () => {
  await scene(plain(), { lookup: fakeLookup(['8.8.8.8']).lookup }, async ({ egress }) => {
    const error = await rejectsWith('GH_EGRESS_REFUSED', egress.dial({ host: 'mail.example', port: 25, tls: false }))
    assert.match(error.message, 'TLS')
  })
  await scene(plain(), { ...HERE, allow: ['mail.example'] }, async ({ egress, port }) => {
    assert.is(await said(await egress.dial({ host: 'mail.example', port, tls: false })), '220 ready')
  })
})

test('TLS is verified against the host, and no protocol is offered that is not the caller’s', async () => {
  const lookup = fakeLookup(['127.0.0.1']).lookup
  await scene(secure(), { allow: ['127.0.0.1'], lookup, ca: TEST_CERTIFICATE }, async ({ egress, port }) => {
    assert.is(await said(await egress.dial({ host: 'upstream.example', port, tls: true })), '220 ready')
    await rejectsWith('GH_EGRESS_UNREACHABLE', egress.dial({ host: 'other.example', port, tls: true }))
    await rejectsWith('GH_EGRESS_UNREACHABLE', egress.dial({ host: '127.0.0.1', port, tls: true }))
  })
  await scene(secure(), { allow: ['127.0.0.1'], lookup }, async ({ egress, port }) => {
    await rejectsWith('GH_EGRESS_UNREACHABLE', egress.dial({ host: 'upstream.example', port, tls: true }))
  })
})

test('a server that never speaks TLS, or a caller that leaves, ends the dialling', async () => {
  const silent = createServer((socket) => void socket.on('error', () => {}).resume())
  await scene(silent, { loopback: true, caps: { connectMs: 60 } }, async ({ egress, port }) => {
    await rejectsWith('GH_EGRESS_TIMEOUT', egress.dial({ host: '127.0.0.1', port, tls: true }))
  })
  const controller = new AbortController()
  const leaving = createServer((socket) => {
    socket.on('error', () => {}).resume()
    controller.abort(Object.assign(new Error('gone'), { code: 'THE_CALLER_LEFT' }))
  })
  await scene(leaving, { loopback: true }, async ({ egress, port }) => {
    const dialled = () => egress.dial({ host: '127.0.0.1', port, tls: true, signal: controller.signal })
    await rejectsWith('THE_CALLER_LEFT', dialled())
    await rejectsWith('THE_CALLER_LEFT', dialled())
  })
})

test('a connection that breaks after it was handed over ends nobody’s process', async () => {
  await scene(
    createServer((socket) => socket.on('error', () => {}).once('data', () => socket.resetAndDestroy())),
    { loopback: true },
    async ({ egress, port }) => {
      const socket = await egress.dial({ host: '127.0.0.1', port, tls: false })
      socket.write('EHLO')
      await new Promise((closed) => socket.once('close', closed))
    },
  )
})

test.run()
