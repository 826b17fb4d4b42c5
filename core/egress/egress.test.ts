import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { createServer, getDefaultAutoSelectFamily, setDefaultAutoSelectFamily } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEgress } from './egress.js'
import type { Egress, EgressOptions } from './egress.js'
import { fakeLookup, listen, rejectsWith, serveHttp, serveHttps, TEST_CERTIFICATE } from './testing.js'

async function withEgress(options: Partial<EgressOptions>, use: (egress: Egress) => Promise<void>): Promise<void> {
  const egress = createEgress({ allow: [], loopback: false, ...options })
  try {
    await use(egress)
  } finally {
    await egress.stop()
  }
}

test('an address of this machine is reached only while loopback is allowed', async () => {
  const server = await serveHttp((_request, response) => response.end('hello'))
  const url = `http://127.0.0.1:${server.port}/`
  try {
    await withEgress({ loopback: true }, async (egress) => {
      const answer = await egress.fetch(url)
      assert.is(answer.status, 200)
      assert.is(answer.text(), 'hello')
    })
    await withEgress({}, async (egress) => {
      await rejectsWith('GH_EGRESS_REFUSED', egress.fetch(url))
      await rejectsWith('GH_EGRESS_REFUSED', egress.check(url))
      assert.throws(() => egress.pool(url), /127\.0\.0\.1/)
    })
  } finally {
    await server.stop()
  }
})

test('a place that is opened later opens no names elsewhere', async () => {
  await withEgress({ lookup: fakeLookup([]).lookup }, async (egress) => {
    egress.open('127.0.0.1:4000')
    for (const url of ['http://crm.example/', 'https://vault/', 'https://localhost/'])
      await rejectsWith('GH_EGRESS_REFUSED', egress.check(url))
  })
})

test('what is opened later is reached from then on, at its port alone', async () => {
  const server = await serveHttp((_request, response) => response.end('hello'))
  try {
    await withEgress({}, async (egress) => {
      const url = `http://127.0.0.1:${server.port}/`
      await rejectsWith('GH_EGRESS_REFUSED', egress.check(url))
      egress.open(`127.0.0.1:${server.port}`)
      assert.is((await egress.fetch(url)).text(), 'hello')
      await rejectsWith('GH_EGRESS_REFUSED', egress.check('http://127.0.0.1:9/'))
    })
  } finally {
    await server.stop()
  }
})

for (const address of [
  '10.0.0.1',
  '127.0.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '::1',
  '::',
  'fd00::1',
  '::ffff:127.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'fe80::1',
]) {
  test(`a name that resolves to ${address} is not connected, by fetch, pool or check`, async () => {
    await withEgress({ lookup: fakeLookup([address]).lookup }, async (egress) => {
      await rejectsWith('GH_EGRESS_REFUSED', egress.fetch('https://crm.example/'))
      await rejectsWith('GH_EGRESS_REFUSED', egress.check('https://crm.example/'))
      const pool = egress.pool('https://crm.example')
      await rejectsWith('GH_EGRESS_REFUSED', pool.request({ path: '/', method: 'GET' }))
    })
  })
}

test('a name with one private answer among public ones is not connected', async () => {
  await withEgress({ lookup: fakeLookup(['8.8.8.8', '10.0.0.1']).lookup }, async (egress) => {
    await rejectsWith('GH_EGRESS_REFUSED', egress.fetch('https://crm.example/'))
  })
})

test('a connection resolves once and goes to the address that was checked', async () => {
  const server = await serveHttp((_request, response) => response.end('checked'))
  const { lookup, asked } = fakeLookup(['127.0.0.1'], ['127.0.0.2'])
  try {
    await withEgress({ allow: ['127.0.0.1'], lookup }, async (egress) => {
      const answer = await egress.fetch(`http://crm.example:${server.port}/`)
      assert.is(answer.text(), 'checked')
      assert.equal(asked, ['crm.example'])
    })
  } finally {
    await server.stop()
  }
})

test('so it is where sockets ask for one address only', async () => {
  const before = getDefaultAutoSelectFamily()
  const server = await serveHttp((_request, response) => response.end('one'))
  const { lookup, asked } = fakeLookup(['127.0.0.1'], ['127.0.0.2'])
  setDefaultAutoSelectFamily(false)
  try {
    await withEgress({ allow: ['127.0.0.1'], lookup }, async (egress) => {
      assert.is((await egress.fetch(`http://crm.example:${server.port}/`)).text(), 'one')
      assert.is(asked.length, 1)
      await rejectsWith('GH_EGRESS_REFUSED', egress.fetch('https://crm.example/'))
    })
  } finally {
    setDefaultAutoSelectFamily(before)
    await server.stop()
  }
})

test('a name that turns private is refused at its next connection', async () => {
  const server = await serveHttp((_request, response) => response.setHeader('connection', 'close').end('once'))
  const { lookup, asked } = fakeLookup(['127.0.0.1'], ['10.0.0.1'])
  try {
    await withEgress({ allow: ['127.0.0.1'], lookup }, async (egress) => {
      const pool = egress.pool(`http://crm.example:${server.port}`)
      const answer = await pool.request({ path: '/', method: 'GET' })
      assert.is(await answer.body.text(), 'once')
      await rejectsWith('GH_EGRESS_REFUSED', pool.request({ path: '/', method: 'GET' }))
      assert.is(asked.length, 2)
    })
  } finally {
    await server.stop()
  }
})

test('TLS is verified against the name of the URL, not against the address or a Host header', async () => {
  const seen: (string | undefined)[] = []
  const server = await serveHttps((request, response) => {
    seen.push(request.headers.host, (request.socket as TLSSocket).servername as string)
    response.end('secure')
  })
  const options = { allow: ['127.0.0.1'], lookup: fakeLookup(['127.0.0.1']).lookup }
  try {
    await withEgress({ ...options, ca: TEST_CERTIFICATE }, async (egress) => {
      const host = `upstream.example:${server.port}`
      const answer = await egress.fetch(`https://${host}/`, { headers: { Host: 'other.example' } })
      assert.is(answer.text(), 'secure')
      assert.equal(seen, [host, 'upstream.example'])
      const other = egress.pool(`https://other.example:${server.port}`)
      const lied = other.request({ path: '/', method: 'GET', headers: { host: 'upstream.example' } })
      await rejectsWith('ERR_TLS_CERT_ALTNAME_INVALID', lied)
      await rejectsWith('GH_EGRESS_UNREACHABLE', egress.fetch(`https://127.0.0.1:${server.port}/`))
    })
    await withEgress(options, async (egress) => {
      await rejectsWith('GH_EGRESS_UNREACHABLE', egress.fetch(`https://upstream.example:${server.port}/`))
    })
  } finally {
    await server.stop()
  }
})

test('the pool of an origin is the same at every call', async () => {
  await withEgress({}, async (egress) => {
    assert.is(egress.pool('https://a.example'), egress.pool('https://a.example'))
    assert.is.not(egress.pool('https://a.example'), egress.pool('https://b.example'))
    assert.is.not(egress.pool('https://a.example'), egress.pool('https://a.example', { connections: 1 }))
  })
})

test('a kept connection is used again without resolving again', async () => {
  const server = await serveHttp((_request, response) => response.end('x'))
  const { lookup, asked } = fakeLookup(['127.0.0.1'])
  try {
    await withEgress({ allow: ['crm.example'], lookup }, async (egress) => {
      const pool = egress.pool(`http://crm.example:${server.port}`, { connections: 1 })
      for (let round = 0; round < 3; round++) await (await pool.request({ path: '/', method: 'GET' })).body.text()
      assert.is(asked.length, 1)
    })
  } finally {
    await server.stop()
  }
})

test('a name that does not resolve at present passes the check and fails the call', async () => {
  await withEgress({ lookup: fakeLookup([]).lookup }, async (egress) => {
    await egress.check('https://not-yet.example/')
    await rejectsWith('GH_EGRESS_UNREACHABLE', egress.fetch('https://not-yet.example/'))
  })
})

test('a resolver that never answers ends with the time for connecting', async () => {
  await withEgress({ lookup: () => new Promise(() => {}), caps: { connectMs: 30 } }, async (egress) => {
    await egress.check('https://slow.example/')
    await rejectsWith('GH_EGRESS_UNREACHABLE', egress.fetch('https://slow.example/'))
  })
})

test('a text that is no URL is refused without being repeated', async () => {
  await withEgress({}, async (egress) => {
    const error = await rejectsWith('GH_EGRESS_REFUSED', egress.check('hunter2'))
    assert.not.match(error.message, 'hunter2')
  })
})

test('stop ends what is under way', async () => {
  const door = createServer()
  const arrival = once(door, 'connection')
  const server = await listen(door)
  try {
    const egress = createEgress({ allow: [], loopback: true })
    const call = egress.fetch(`http://127.0.0.1:${server.port}/`)
    const failed = rejectsWith('GH_EGRESS_FAILED', call)
    await arrival
    await egress.stop()
    await failed
  } finally {
    await server.stop()
  }
})

test.run()
