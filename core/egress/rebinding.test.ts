import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startNameServer } from './dns.fixture.js'
import type { NameServer, Records } from './dns.fixture.js'
import { createEgress } from './egress.js'
import type { Egress, EgressOptions } from './egress.js'
import { rejectsWith, serveHttp } from './testing.js'

interface Scene {
  readonly egress: Egress
  readonly dns: NameServer
  /** Of a service on this machine. */
  readonly port: number
  readonly reached: readonly string[]
}

async function scene(
  answer: (name: string, before: number) => Records,
  options: Partial<EgressOptions>,
  use: (scene: Scene) => Promise<unknown>,
): Promise<void> {
  const reached: string[] = []
  const server = await serveHttp((request, response) => {
    reached.push(`${request.socket.localAddress} ${request.headers.host}`)
    response.setHeader('connection', 'close').end('reached')
  })
  const dns = await startNameServer(answer)
  const egress = createEgress({ allow: [], loopback: false, lookup: dns.lookup, caps: { connectMs: 500 }, ...options })
  try {
    await use({ egress, dns, port: server.port, reached })
  } finally {
    await egress.stop()
    await dns.stop()
    await server.stop()
  }
}

/** Public when it is checked, of this machine when it is connected. */
const turning = (_name: string, before: number) => [before === 0 ? '8.8.8.8' : '127.0.0.1']
const ONCE = ['A rebind.example', 'AAAA rebind.example']

test('a name that is public when it is saved and private when it is called is refused', async () => {
  await scene(turning, {}, async ({ egress, dns, port, reached }) => {
    const url = `https://rebind.example:${port}/`
    await egress.check(url)
    await rejectsWith('GH_EGRESS_REFUSED', egress.fetch(url))
    await rejectsWith('GH_EGRESS_REFUSED', egress.pool(url).request({ path: '/', method: 'GET' }))
    await rejectsWith('GH_EGRESS_REFUSED', egress.dial({ host: 'rebind.example', port, tls: true }))
    assert.equal(dns.asked.toSorted(), [...ONCE, ...ONCE, ...ONCE, ...ONCE].toSorted())
    assert.equal(reached, [])
  })
})

test('a connection resolves once: what the name turns into in between is never connected', async () => {
  await scene(turning, {}, async ({ egress, dns, port, reached }) => {
    // The address that was checked is another machine’s, and does not answer at this port.
    await rejectsWith('GH_EGRESS_UNREACHABLE', egress.fetch(`https://rebind.example:${port}/`))
    assert.equal(dns.asked.toSorted(), ONCE)
    assert.equal(reached, [])
  })
})

test('so it goes to the address that was checked, with the name in Host', async () => {
  const away = (_name: string, before: number) => [before === 0 ? '127.0.0.1' : '127.0.0.2']
  await scene(away, { allow: ['127.0.0.1', '127.0.0.2'] }, async ({ egress, dns, port, reached }) => {
    await egress.fetch(`http://rebind.example:${port}/`)
    assert.equal(reached, [`127.0.0.1 rebind.example:${port}`])
    assert.equal(dns.asked.toSorted(), ONCE)
  })
})

test('a kept connection stays where it was made, and a new one is checked anew', async () => {
  const turningLater = (_name: string, before: number) => [before === 0 ? '127.0.0.1' : '10.0.0.1']
  await scene(turningLater, { allow: ['127.0.0.1'] }, async ({ egress, port, reached }) => {
    const url = `http://rebind.example:${port}/`
    assert.is((await egress.fetch(url)).text(), 'reached')
    await rejectsWith('GH_EGRESS_REFUSED', egress.fetch(url))
    assert.is(reached.length, 1)
  })
})

const MIXED: Readonly<Record<string, Records>> = {
  'a public A beside a private AAAA': ['8.8.8.8', '::1'],
  'a private A beside a public AAAA': ['127.0.0.1', '2606:4700::1111'],
  'a private A among public ones': ['8.8.8.8', '127.0.0.1', '1.1.1.1'],
  'a mapped AAAA': ['::ffff:127.0.0.1'],
  'a CNAME to a private name': { cname: 'inside.example' },
  'a CNAME to a CNAME to a private name': { cname: 'further.example' },
  'no record at all': [],
}

for (const [what, records] of Object.entries(MIXED)) {
  test(`${what} is not connected`, async () => {
    const answer = (name: string): Records => {
      if (name === 'further.example') return { cname: 'inside.example' }
      return name === 'inside.example' ? ['127.0.0.1'] : records
    }
    await scene(answer, {}, async ({ egress, port, reached }) => {
      const url = `https://mixed.example:${port}/`
      const code = Array.isArray(records) && records.length === 0 ? 'GH_EGRESS_UNREACHABLE' : 'GH_EGRESS_REFUSED'
      await rejectsWith(code, egress.fetch(url))
      await rejectsWith(code, egress.dial({ host: 'mixed.example', port, tls: true }))
      if (code === 'GH_EGRESS_REFUSED') await rejectsWith(code, egress.check(url))
      assert.equal(reached, [])
    })
  })
}

test('a public CNAME is followed', async () => {
  const answer = (name: string): Records => (name === 'alias.example' ? { cname: 'real.example' } : ['127.0.0.1'])
  await scene(answer, { allow: ['127.0.0.1'] }, async ({ egress, port, reached }) => {
    await egress.fetch(`http://alias.example:${port}/`)
    assert.is(reached.length, 1)
  })
})

test.run()
