import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Era } from '@gatehouse/sdk'
import type { ErrorCode } from '../errors.js'
import {
  answerJson,
  DISCOVERY,
  fakeServer,
  INITIALIZED,
  legacyFake,
  makeRequest,
  makeTarget,
  makeUpstreams,
  modernFake,
  startStream,
} from './testing.js'
import type { Seen } from './testing.js'

const bare = (status: number, body = '', type = 'text/plain') => {
  return ({ res }: Seen) => void res.writeHead(status, { 'content-type': type }).end(body)
}
const rpcError = (code: number, status: number) => (seen: Seen) =>
  answerJson(seen, { error: { code, message: 'it failed' } }, status)
const NOTHING_MORE = 'id: p1\nretry: 10\ndata:\n\n'

/** What a server does once it has run the tool; the error that the caller gets, or null when it is the server's own. */
const ENDINGS: readonly [what: string, ends: (seen: Seen) => void, error: ErrorCode | null, eras: readonly Era[]][] = [
  ['closes the connection', ({ res }) => void res.destroy(), 'GH_UPSTREAM_UNREACHABLE', ['modern', 'legacy']],
  [
    'closes half a body',
    ({ res }) => void res.writeHead(200, { 'content-length': '99' }).write('{', () => res.destroy()),
    'GH_UPSTREAM_UNREACHABLE',
    ['modern', 'legacy'],
  ],
  [
    'closes its event stream in the middle',
    (seen) => (startStream(seen), void seen.res.write(': so far\n\n', () => seen.res.destroy())),
    'GH_UPSTREAM_UNREACHABLE',
    ['modern', 'legacy'],
  ],
  [
    'ends its event stream before the answer',
    (seen) => (startStream(seen), void seen.res.end(NOTHING_MORE)),
    'GH_UPSTREAM_PROTOCOL',
    ['modern', 'legacy'],
  ],
  ['says nothing', () => undefined, 'GH_UPSTREAM_TIMEOUT', ['modern', 'legacy']],
  ['answers garbage', bare(200, '{', 'application/json'), 'GH_UPSTREAM_PROTOCOL', ['modern', 'legacy']],
  ['answers 500', bare(500), 'GH_UPSTREAM_UNREACHABLE', ['modern', 'legacy']],
  ['answers 502 in HTML', bare(502, '<h1>', 'text/html'), 'GH_UPSTREAM_UNREACHABLE', ['modern', 'legacy']],
  ['answers 503', bare(503), 'GH_UPSTREAM_UNREACHABLE', ['modern', 'legacy']],
  ['answers 429', bare(429), 'GH_UPSTREAM_RATE_LIMITED', ['modern', 'legacy']],
  ['answers 403', bare(403), 'GH_UPSTREAM_AUTH', ['modern', 'legacy']],
  ['answers 401', bare(401), 'GH_UPSTREAM_AUTH', ['modern', 'legacy']],
  ['redirects', ({ res }) => void res.writeHead(307, { location: '/mcp' }).end(), 'GH_UPSTREAM_PROTOCOL', ['modern']],
  // In the modern era these are what a server of another era says, too.
  ['answers 400', bare(400), 'GH_UPSTREAM_PROTOCOL', ['modern', 'legacy']],
  ['answers 404', bare(404), 'GH_UPSTREAM_PROTOCOL', ['modern']],
  ['answers 405', bare(405), 'GH_UPSTREAM_PROTOCOL', ['modern', 'legacy']],
  ['answers an error with status 400', rpcError(-32000, 400), 'GH_UPSTREAM_PROTOCOL', ['modern']],
  ['answers an error with status 400', rpcError(-32000, 400), null, ['legacy']],
  ['answers an error with status 404', rpcError(-32000, 404), null, ['legacy']],
  ['answers an error of the other era', rpcError(-32022, 200), 'GH_UPSTREAM_PROTOCOL', ['legacy']],
]

for (const [what, ends, code, eras] of ENDINGS)
  for (const era of eras)
    test(`a ${era} server that runs a tool and then ${what} runs it once`, async () => {
      let ran = 0
      const handle = (seen: Seen) => {
        if (seen.body['method'] === 'tools/call') {
          ran += 1
          ends(seen)
        } else if (seen.verb === 'POST' && 'id' in seen.body) answerJson(seen, { result: {} })
        else if (seen.verb === 'GET') bare(405)(seen)
        else bare(202)(seen)
      }
      const fake = await (era === 'modern' ? modernFake(handle) : legacyFake(handle))
      // Eras may be doubted at once, as they may in a gateway that has run for a while.
      const upstreams = makeUpstreams({ timing: { reprobe: 0 } })
      const target = makeTarget({ url: fake.url })
      assert.is((await upstreams.info(target, Date.now() + 5_000)).era, era)
      const outcome = await upstreams.request(target, makeRequest({ deadline: Date.now() + 400 })).then(
        ({ error }) => (error === null ? 'a result' : null),
        (error: { code?: ErrorCode }) => error.code,
      )
      assert.equal([outcome, ran], [code, 1])
      await upstreams.stop()
      await fake.stop()
    })

test('a request that met a server of the other era, which did not know it, is sent again in that era', async () => {
  let ran = 0
  let isOld = false
  const fake = await fakeServer((seen) => {
    const { method } = seen.body
    if (!('id' in seen.body)) return bare(seen.verb === 'POST' ? 202 : 405)(seen)
    if (isOld && method === 'initialize') return answerJson(seen, { result: INITIALIZED })
    if (isOld && seen.headers['mcp-protocol-version'] !== INITIALIZED.protocolVersion)
      return answerJson(
        seen,
        { id: null, error: { code: -32000, message: 'Bad Request: Server not initialized' } },
        400,
      )
    if (method === 'server/discover') return answerJson(seen, { result: DISCOVERY })
    ran += 1
    answerJson(seen, { result: { content: [] } })
  })
  const upstreams = makeUpstreams({ timing: { reprobe: 0 } })
  const target = makeTarget({ url: fake.url })
  assert.is((await upstreams.request(target, makeRequest())).era, 'modern')
  isOld = true
  assert.is((await upstreams.request(target, makeRequest())).era, 'legacy')
  assert.is(ran, 2)
  await upstreams.stop()
  await fake.stop()
})

test.run()
