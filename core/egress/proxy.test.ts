import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEgress } from './egress.js'
import type { Egress, EgressOptions } from './egress.js'
import { createBypass } from './no-proxy.js'
import { fakeLookup, listen, rejectsWith, serveHttp, serveHttps, TEST_CERTIFICATE } from './testing.js'

interface Scene {
  readonly egress: Egress
  /** The `CONNECT` requests that the proxy saw, with its credential. */
  readonly tunnels: string[]
  readonly port: number
}

/** A proxy that takes every tunnel to one upstream on this machine, whatever name it is asked for. */
async function scene(
  options: Partial<EgressOptions>,
  use: (scene: Scene) => Promise<unknown>,
  secure = false,
  status = 200,
) {
  const upstream = await (secure ? serveHttps : serveHttp)((request, response) =>
    response.end(`for ${request.headers.host}`),
  )
  const tunnels: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((_request, response) => response.writeHead(400).end())
  server.on('connect', (request, socket: Socket) => {
    tunnels.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim())
    const onward = connect(upstream.port, '127.0.0.1')
    for (const end of [socket, onward]) sockets.add(end.on('error', () => end.destroy()))
    socket.write(`HTTP/1.1 ${status} Answer\r\n\r\n`)
    socket.pipe(onward).pipe(socket)
  })
  const proxy = await listen(server)
  const httpsProxy = `http://user:p%40ss@127.0.0.1:${proxy.port}`
  const egress = createEgress({ allow: [], loopback: false, ca: TEST_CERTIFICATE, httpsProxy, ...options })
  try {
    await use({ egress, tunnels, port: upstream.port })
  } finally {
    await egress.stop()
    for (const socket of sockets) socket.destroy()
    await proxy.stop()
    await upstream.stop()
  }
}

const LOGIN = `Basic ${Buffer.from('user:p@ss').toString('base64')}`
const target = (host: string, port = 443) => ({ host, port, secure: true })

const PUBLIC = fakeLookup(['8.8.8.8']).lookup

test('a target is reached through the proxy by its name, with TLS from end to end', async () => {
  await scene(
    { lookup: PUBLIC },
    async ({ egress, tunnels }: Scene) => {
      const answer = await egress.fetch('https://upstream.example/')
      assert.is(answer.text(), 'for upstream.example')
      assert.equal(tunnels, [`upstream.example:443 ${LOGIN}`])
      const pooled = await egress.pool('https://upstream.example').request({ path: '/', method: 'GET' })
      assert.is(await pooled.body.text(), 'for upstream.example')
      await rejectsWith('GH_EGRESS_UNREACHABLE', egress.fetch('https://other.example/'))
    },
    true,
  )
})

test('TLS inside the tunnel is verified against the name of the URL, whatever Host says', async () => {
  await scene(
    { lookup: PUBLIC },
    async ({ egress }) => {
      const pool = egress.pool('https://other.example')
      const lied = pool.request({ path: '/', method: 'GET', headers: { host: 'upstream.example' } })
      await rejectsWith('ERR_TLS_CERT_ALTNAME_INVALID', lied)
    },
    true,
  )
})

test('a public IPv6 address is asked for in brackets', async () => {
  await scene(
    {},
    async ({ egress, tunnels }) => {
      await rejectsWith('GH_EGRESS_UNREACHABLE', egress.fetch('https://[2606:4700::1111]/'))
      assert.equal(tunnels, [`[2606:4700::1111]:443 ${LOGIN}`])
    },
    true,
  )
})

test('plain http to a listed host is tunnelled as well', async () => {
  await scene({ lookup: PUBLIC, allow: ['engine.corp'] }, async ({ egress, tunnels }) => {
    assert.is((await egress.fetch('http://engine.corp:8080/')).text(), 'for engine.corp:8080')
    assert.equal(tunnels, [`engine.corp:8080 ${LOGIN}`])
  })
})

test('what is no HTTP goes through the proxy as well, with TLS from end to end', async () => {
  await scene(
    { lookup: PUBLIC },
    async ({ egress, tunnels }: Scene) => {
      const socket = await egress.dial({ host: 'upstream.example', port: 465, tls: true })
      socket.write('GET / HTTP/1.1\r\nhost: dialled\r\nconnection: close\r\n\r\n')
      const chunks: Buffer[] = []
      for await (const chunk of socket) chunks.push(chunk as Buffer)
      assert.match(Buffer.concat(chunks).toString(), 'for dialled')
      assert.equal(tunnels, [`upstream.example:465 ${LOGIN}`])
      await rejectsWith('GH_EGRESS_UNREACHABLE', egress.dial({ host: 'other.example', port: 465, tls: true }))
      await rejectsWith('GH_EGRESS_REFUSED', egress.dial({ host: '10.0.0.1', port: 465, tls: true }))
      assert.is(tunnels.length, 2)
    },
    true,
  )
})

test('a private literal or a name with a private answer never reaches the proxy', async () => {
  await scene({ lookup: fakeLookup(['10.0.0.1']).lookup }, async ({ egress, tunnels }) => {
    await rejectsWith('GH_EGRESS_REFUSED', egress.fetch('https://169.254.169.254/'))
    await rejectsWith('GH_EGRESS_REFUSED', egress.fetch('https://upstream.example/'))
    const pool = egress.pool('https://upstream.example')
    await rejectsWith('GH_EGRESS_REFUSED', pool.request({ path: '/', method: 'GET' }))
    assert.equal(tunnels, [])
  })
})

test('a name that only the proxy can resolve is left to the proxy', async () => {
  await scene(
    { lookup: fakeLookup([]).lookup },
    async ({ egress, tunnels }: Scene) => {
      assert.is((await egress.fetch('https://upstream.example/')).status, 200)
      assert.is(tunnels.length, 1)
    },
    true,
  )
})

test('but never a private name, nor one without TLS, which it may know and we do not', async () => {
  await scene({ lookup: fakeLookup([]).lookup, allow: ['10.0.0.0/8', 'listed'] }, async ({ egress, tunnels }) => {
    for (const url of ['https://metadata.google.internal/', 'https://vault/', 'http://upstream.example/']) {
      await rejectsWith('GH_EGRESS_REFUSED', egress.fetch(url))
      await rejectsWith('GH_EGRESS_REFUSED', egress.pool(url).request({ path: '/', method: 'GET' }))
    }
    await rejectsWith('GH_EGRESS_REFUSED', egress.dial({ host: 'vault', port: 465, tls: true }))
    assert.equal(tunnels, [])
    assert.is((await egress.fetch('http://listed/')).status, 200)
  })
})

test('a name that turns private is refused at its next tunnel', async () => {
  const { lookup } = fakeLookup(['8.8.8.8'], ['10.0.0.1'])
  await scene(
    { lookup },
    async ({ egress, tunnels }) => {
      await egress.check('https://upstream.example/')
      await rejectsWith('GH_EGRESS_REFUSED', egress.fetch('https://upstream.example/'))
      assert.equal(tunnels, [])
    },
    true,
  )
})

test('a proxy that declines is a failure that names the target', async () => {
  await scene(
    { lookup: PUBLIC },
    ({ egress }: Scene) => rejectsWith('GH_EGRESS_UNREACHABLE', egress.fetch('https://upstream.example/')),
    true,
    403,
  )
})

test('what NO_PROXY names is reached directly, still checked', async () => {
  const options = { lookup: fakeLookup(['127.0.0.1'], ['10.0.0.1']).lookup, allow: ['127.0.0.1'], noProxy: '.corp' }
  await scene(options, async ({ egress, tunnels, port }) => {
    assert.is((await egress.fetch(`http://engine.corp:${port}/`)).status, 200)
    await rejectsWith('GH_EGRESS_REFUSED', egress.fetch('https://other.corp/'))
    assert.equal(tunnels, [])
  })
})

test('this machine is never reached through the proxy', async () => {
  await scene({ loopback: true }, async ({ egress, tunnels, port }) => {
    assert.is((await egress.fetch(`http://127.0.0.1:${port}/`)).status, 200)
    assert.equal(tunnels, [])
  })
})

test('NO_PROXY takes names, suffixes, addresses, CIDRs, ports and the star', () => {
  const isDirect = createBypass('corp.example, .dev *.test,10.0.0.0/8 192.168.1.1:8080,api.io:9000,[fd00::1]')
  for (const host of ['corp.example', 'a.corp.example', 'dev', 'a.dev', 'x.test', '10.1.2.3', 'fd00::1'])
    assert.ok(isDirect(target(host)), host)
  for (const host of ['evilcorp.example', 'example', 'adev', '11.0.0.1', '192.168.1.1', 'api.io', 'fd00::2'])
    assert.not.ok(isDirect(target(host)), host)
  assert.ok(isDirect(target('192.168.1.1', 8080)))
  assert.ok(isDirect(target('api.io', 9000)))
  assert.ok(createBypass('*')(target('any.example')))
})

test('a proxy setting that is no URL refuses the start and is not repeated', () => {
  assert.throws(
    () => createEgress({ allow: [], loopback: false, httpsProxy: 'socks5://user:hunter2@proxy' }),
    (error: Error) => /HTTPS_PROXY/.test(error.message) && !/hunter2/.test(error.message),
  )
})

test.run()
