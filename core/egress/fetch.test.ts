import { gzipSync } from 'node:zlib'
import type { RequestListener } from 'node:http'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEgress } from './egress.js'
import type { Egress, EgressOptions } from './egress.js'
import { rejectsWith, serveHttp } from './testing.js'
import { asWebFetch } from './web-fetch.js'

type Use = (egress: Egress, url: string) => Promise<unknown>

async function against(handler: RequestListener, use: Use, caps: EgressOptions['caps'] = {}): Promise<void> {
  const server = await serveHttp(handler)
  const egress = createEgress({ allow: [], loopback: true, caps })
  try {
    await use(egress, `http://127.0.0.1:${server.port}/path?q=1`)
  } finally {
    await egress.stop()
    await server.stop()
  }
}

test('carries method, path, headers and body, and gives status, headers and body', async () => {
  await against(
    async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      response.writeHead(201, { 'X-Seen': `${request.method} ${request.url} ${request.headers['x-key']}` })
      response.end(JSON.stringify({ body: Buffer.concat(chunks).toString() }))
    },
    async (egress, url) => {
      const answer = await egress.fetch(url, { method: 'post', headers: { 'X-Key': 'k' }, body: 'data' })
      assert.is(answer.status, 201)
      assert.is(answer.header('x-seen'), 'POST /path?q=1 k')
      assert.equal(answer.json(), { body: 'data' })
    },
  )
})

for (const status of [300, 301, 302, 303, 307, 308]) {
  test(`a ${status} is an error and nothing is asked of where it points`, async () => {
    let count = 0
    const handler: RequestListener = (request, response) => {
      count++
      response.writeHead(status, { location: `http://${request.headers.host}/elsewhere` }).end('moved')
    }
    await against(handler, async (egress, url) => {
      await rejectsWith('GH_EGRESS_REDIRECT', egress.fetch(url))
      await rejectsWith('GH_EGRESS_REDIRECT', asWebFetch(egress)(url, { redirect: 'follow' }))
      assert.is(count, 2)
    })
  })
}

test('a body of the limit passes, one byte more does not', async () => {
  await against(
    (_request, response) => response.end(Buffer.alloc(1000)),
    async (egress, url) => {
      assert.is((await egress.fetch(url, { maxBytes: 1000 })).body.length, 1000)
      await rejectsWith('GH_EGRESS_TOO_LARGE', egress.fetch(url, { maxBytes: 999 }))
    },
  )
})

test('a body without end is cut off while it streams', async () => {
  await against(
    (_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(4096))) continue
      }
      response.on('drain', more)
      more()
    },
    (egress, url) => rejectsWith('GH_EGRESS_TOO_LARGE', egress.fetch(url, { maxBytes: 100_000 })),
  )
})

test('a caller cannot raise the limit of the gateway', async () => {
  await against(
    (_request, response) => response.end(Buffer.alloc(100)),
    (egress, url) => rejectsWith('GH_EGRESS_TOO_LARGE', egress.fetch(url, { maxBytes: 1000 })),
    { bytes: 99 },
  )
})

test('what is compressed counts by what it becomes', async () => {
  const bomb = gzipSync(Buffer.alloc(1_000_000))
  await against(
    (request, response) => {
      assert.is(request.headers['accept-encoding'], 'gzip')
      response.setHeader('content-encoding', 'gzip').end(bomb)
    },
    async (egress, url) => {
      assert.is((await egress.fetch(url)).body.length, 1_000_000)
      assert.ok(bomb.length < 10_000)
      await rejectsWith('GH_EGRESS_TOO_LARGE', egress.fetch(url, { maxBytes: 10_000 }))
    },
  )
})

test('an empty answer that claims to be compressed is empty', async () => {
  await against(
    (_request, response) => response.setHeader('content-encoding', 'gzip').end(),
    async (egress, url) => {
      assert.is((await egress.fetch(url)).body.length, 0)
      assert.is((await egress.fetch(url, { method: 'HEAD' })).status, 200)
    },
  )
})

test('an answer in broken or unknown compression is a failure', async () => {
  await against(
    (request, response) => response.setHeader('content-encoding', request.headers['x-encoding'] ?? '').end('rubbish'),
    async (egress, url) => {
      for (const encoding of ['gzip', 'br', 'deflate', 'lzma'])
        await rejectsWith('GH_EGRESS_FAILED', egress.fetch(url, { headers: { 'x-encoding': encoding } }))
    },
  )
})

test('the deadline covers the time before the headers', async () => {
  await against(
    () => {},
    (egress, url) => rejectsWith('GH_EGRESS_TIMEOUT', egress.fetch(url, { timeoutMs: 30 })),
  )
})

test('the deadline covers the body', async () => {
  await against(
    (_request, response) => response.write('half'),
    (egress, url) => rejectsWith('GH_EGRESS_TIMEOUT', egress.fetch(url, { timeoutMs: 60 })),
  )
})

test('the caller ends a call with its own reason', async () => {
  const controller = new AbortController()
  const reason = Object.assign(new Error('gone'), { code: 'THE_CALLER_LEFT' })
  await against(
    () => controller.abort(reason),
    async (egress, url) => {
      await rejectsWith('THE_CALLER_LEFT', egress.fetch(url, { signal: controller.signal }))
      await rejectsWith('THE_CALLER_LEFT', egress.fetch(url, { signal: controller.signal }))
    },
  )
})

test('a refused connection names the host and keeps the URL to itself', async () => {
  const server = await serveHttp(() => {})
  await server.stop()
  const egress = createEgress({ allow: [], loopback: true })
  try {
    await egress.fetch(`http://127.0.0.1:${server.port}/path?token=hunter2`)
    assert.unreachable()
  } catch (error) {
    assert.is((error as { code?: string }).code, 'GH_EGRESS_UNREACHABLE')
    assert.match((error as Error).message, '127.0.0.1')
    assert.not.match(JSON.stringify([error, (error as Error).message]), 'hunter2')
  } finally {
    await egress.stop()
  }
})

test('the web shape carries a request and gives a readable answer', async () => {
  await against(
    async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      response.setHeader('content-encoding', 'gzip').setHeader('content-type', 'application/json')
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      response.end(gzipSync(JSON.stringify({ method: request.method, body: Buffer.concat(chunks).toString() })))
    },
    async (egress, url) => {
      const answer = await asWebFetch(egress)(url, { method: 'POST', body: new URLSearchParams({ a: 'b' }) })
      assert.is(answer.ok, true)
      assert.is(answer.headers.get('content-encoding'), null)
      assert.equal(answer.headers.getSetCookie(), ['a=1', 'b=2'])
      assert.equal(await answer.json(), { method: 'POST', body: 'a=b' })
    },
  )
})

test('the web shape is bounded as it is told', async () => {
  await against(
    (_request, response) => response.end(Buffer.alloc(100)),
    (egress, url) => rejectsWith('GH_EGRESS_TOO_LARGE', asWebFetch(egress, { maxBytes: 99 })(url)),
  )
})

test.run()
