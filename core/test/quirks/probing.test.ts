import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openSession } from '../door.js'
import { answering, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'

let server: FakeServer
let gateway: RunningGateway
let access: Access
test.before(async () => {
  server = await fakeUpstream(answering({ content: [] }))
  gateway = await startGateway({ yaml: yamlOf({ one: server }) })
  access = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

const PRM = '/.well-known/oauth-protected-resource'
const read = async (path: string, init: RequestInit = {}) => {
  const answer = await fetch(new URL(path, gateway.url), init)
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, json: text.startsWith('{') ? JSON.parse(text) : null }
}
/** Where a 401 says that the metadata is; only an absolute URL is heeded. */
const metadataOf = (challenge: string | null) => /resource_metadata="(https?:\/\/[^"]+)"/.exec(challenge ?? '')?.[1]

test('every verb is challenged before anything else is said, with the whole address of the metadata', async () => {
  for (const method of ['POST', 'GET', 'DELETE', 'HEAD', 'PUT', 'PATCH'])
    for (const headers of [{}, { 'mcp-session-id': 'x' }, { authorization: 'Bearer API_x' }] as Record<
      string,
      string
    >[]) {
      const body = ['GET', 'HEAD', 'DELETE'].includes(method) ? {} : { body: 'no json' }
      const answer = await fetch(access.url, { method, headers, ...body })
      const challenge = answer.headers.get('www-authenticate')
      assert.equal([answer.status, metadataOf(challenge)], [401, `${gateway.url}${PRM}/mcp/house`], method)
      assert.match(challenge ?? '', /^Bearer .*scope="mcp"/)
    }
})

test('who may come in is told which verbs are served', async () => {
  const headers = { authorization: `Bearer ${access.token}` }
  for (const [method, allow] of [
    ['HEAD', 'POST, GET, DELETE'],
    ['PUT', 'POST, GET, DELETE'],
    ['GET', 'POST'],
    ['DELETE', 'POST'],
  ] as const) {
    const answer = await fetch(access.url, { method, headers })
    assert.equal([answer.status, answer.headers.get('allow')], [405, allow], method)
  }
})

test('VS Code finds a resource that is its URL to the letter, without a slash at the end', async () => {
  const answer = await fetch(access.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  const { json } = await read(metadataOf(answer.headers.get('www-authenticate')) ?? '')
  assert.is(json.resource, access.url)
  assert.not.match(json.resource, /\/$/)
  const slashed = await read(`${PRM}/mcp/house/`)
  assert.is(slashed.json.resource, access.url)
})

test('Cursor finds the metadata of its URL before it has asked anything', async () => {
  const { status, headers, json } = await read(`${PRM}/mcp/house`, {
    headers: { 'mcp-protocol-version': '2025-06-18' },
  })
  assert.equal([status, json.resource, json.scopes_supported], [200, access.url, ['mcp']])
  assert.match(headers.get('content-type') ?? '', /^application\/json/)
  assert.is((await read(`${PRM}/mcp`)).json.resource, `${gateway.url}/mcp`)
})

test('Claude Code, which guesses at the origin, finds metadata there, too', async () => {
  const { status, json } = await read(PRM)
  assert.equal([status, json.resource], [200, `${gateway.url}/mcp`])
})

test('what is not served is plainly not there', async () => {
  for (const path of [
    '/.well-known/oauth-authorization-server/elsewhere',
    '/.well-known/openid-configuration/mcp/house/more',
    '/elsewhere/.well-known/openid-configuration',
    `${PRM}/mcp/house/more`,
    `${PRM}x`,
  ]) {
    const { status, json } = await read(path)
    assert.equal([status, json === null], [404, false], path)
  }
})

const preflight = (path: string, origin: string, asked: string) =>
  read(path, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': asked },
  })

test('a page of our own may call and read what it needs, a foreign one may not', async () => {
  const origin = 'http://localhost:6274'
  const asked =
    'authorization,content-type,last-event-id,mcp-method,mcp-name,mcp-param-region,mcp-protocol-version,x-evil'
  const { status, headers } = await preflight('/mcp/house', origin, asked)
  const allowed = (headers.get('access-control-allow-headers') ?? '').toLowerCase().split(', ')
  assert.equal([status, headers.get('access-control-allow-origin')], [204, origin])
  assert.equal(
    asked.split(',').filter((name) => !allowed.includes(name)),
    ['x-evil'],
  )
  const refused = await fetch(access.url, { method: 'POST', headers: { origin }, body: '{}' })
  const exposed = refused.headers.get('access-control-expose-headers') ?? ''
  assert.ok(refused.headers.get('www-authenticate') && exposed.includes('WWW-Authenticate'))
  assert.ok(exposed.includes('Mcp-Session-Id'))
  for (const foreign of ['https://evil.example.com', 'null'])
    assert.is((await preflight('/mcp/house', foreign, 'authorization')).status, 403)
})

test('the metadata can be read from any page, with the version of the protocol', async () => {
  const origin = 'https://client.example.com'
  const { status, headers } = await preflight(`${PRM}/mcp/house`, origin, 'mcp-protocol-version')
  assert.equal([status, headers.get('access-control-allow-origin')], [204, '*'])
  assert.match(headers.get('access-control-allow-headers') ?? '', /mcp-protocol-version/i)
  assert.is((await read(PRM, { headers: { origin } })).headers.get('access-control-allow-origin'), '*')
})

test('Claude Code, which takes 405 for a failure, gets its standing stream', async () => {
  const abort = new AbortController()
  const answer = await fetch(access.url, {
    headers: {
      authorization: `Bearer ${access.token}`,
      accept: 'text/event-stream',
      'mcp-session-id': await openSession(access),
      'mcp-protocol-version': '2025-11-25',
    },
    signal: abort.signal,
  })
  assert.is(answer.status, 200)
  abort.abort()
})

test.run()
