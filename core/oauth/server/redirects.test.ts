import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { JWT_BEARER, normalise } from './client-metadata.js'
import { clientKey, clientName, publicClientId, slugOf } from './client-names.js'
import { faultOf, placeOf } from './redirects.js'
import { readResource } from './resources.js'

const SCHEMES = ['cursor']

test('people are sent to https, to this machine, and to apps that are allowed', () => {
  for (const uri of [
    'https://claude.ai/api/mcp/auth_callback',
    'http://localhost/callback',
    'http://127.0.0.1:33418/',
    'http://[::1]:8080/cb',
    'cursor://anysphere.cursor-mcp/oauth/callback',
  ])
    assert.is(faultOf([uri], SCHEMES), null, uri)
})

test('and nowhere else', () => {
  for (const uri of [
    'http://example.com/cb',
    'http://localhost.evil.example/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://localhost@evil.example/cb',
    'https://a:b@example.com/cb',
    'https://example.com/cb#x',
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'vscode://x/y',
    'CURSOR2://x',
    '//example.com',
    '/cb',
    '',
    'https://example.com/\ncb',
    'https:\\\\example.com',
    `https://example.com/${'x'.repeat(3_000)}`,
    7,
    null,
  ])
    assert.is.not(faultOf([uri], SCHEMES), null, String(uri))
})

test('the place says who is behind a redirect, not what it says of itself', () => {
  assert.is(placeOf('http://127.0.0.1:999/cb'), 'this computer')
  assert.is(placeOf('https://claude.ai.evil.example/claude.ai'), 'claude.ai.evil.example')
  assert.is(placeOf('cursor://claude.ai/cb'), 'an app (cursor:)')
})

test('installs of one client have one id and one key, other clients have others', () => {
  const one = { client_name: 'Agent (home)', redirect_uris: ['http://localhost:1/cb', 'http://localhost:2/cb'] }
  const other = { client_name: 'Agent (work)', redirect_uris: ['http://localhost:3/cb'] }
  assert.is(publicClientId(one), publicClientId(other))
  assert.is(clientKey(one), clientKey(other))
  for (const foreign of [
    { ...one, client_name: 'Agent 2' },
    { ...one, redirect_uris: ['http://localhost:1/other'] },
    { ...one, redirect_uris: ['https://evil.example/cb'] },
    { ...one, client_uri: 'https://agent.example' },
  ])
    assert.is.not(publicClientId(foreign), publicClientId(one))
  // Whoever comes first with an id says what its metadata is, for all who come after.
  const claude = { client_name: 'Claude', redirect_uris: ['https://claude.ai/cb'] }
  for (const spoilt of [
    { ...claude, redirect_uris: ['https://CLAUDE.ai/cb'] },
    { ...claude, redirect_uris: ['https://claude.ai:443/cb'] },
    { ...claude, redirect_uris: ['https://claude.ai/x/../cb'] },
    { ...claude, grant_types: ['authorization_code'] },
  ])
    assert.is.not(publicClientId(spoilt), publicClientId(claude), JSON.stringify(spoilt))
  const spelled = { ...claude, grant_types: ['refresh_token', 'authorization_code', 'device_code'] }
  assert.is(publicClientId(spelled), publicClientId(claude))
  assert.is.not(clientKey({ ...one, redirect_uris: ['https://evil.example/cb'] }), clientKey(one))
})

test('a name is one line of plain text', () => {
  assert.is(clientName('  A\n\u202eB\u0000  (x) '), 'A B')
  assert.is(clientName(undefined), 'Unnamed client')
  assert.is(clientName({}), 'Unnamed client')
  assert.is(clientName('x'.repeat(500)).length, 100)
  assert.is(slugOf('Claude Code!'), 'claude-code')
  assert.is(slugOf('…'), 'client')
})

test('a resource is read as clients spell it, and nothing foreign is taken for ours', () => {
  const gateway = { id: 'g1', slug: 'eng' }
  const snapshot = { gateways: new Map([['eng', { gateway }]]) } as never
  const kindOf = (text: string, url = 'http://localhost:4000') => readResource(text, url, snapshot)?.kind
  const base = 'http://localhost:4000'
  for (const own of ['/mcp/eng', '/mcp/eng/', '/mcp?gateway=eng', '/mcp/?gateway=eng'])
    assert.is(kindOf(base + own), 'gateway', own)
  for (const own of ['', '/', '/mcp', '/mcp/']) assert.is(kindOf(base + own), 'picker', own)
  assert.is(kindOf('http://127.0.0.1:4000/mcp/eng'), 'gateway', 'another name of this machine')
  assert.is(kindOf(`${base}/mcp/nowhere`), 'unknown')
  for (const foreign of [
    'http://localhost:4001/mcp/eng',
    'https://localhost:4000/mcp/eng',
    'http://localhost.evil.example:4000/mcp/eng',
    `${base}/mcp/eng/x`,
    `${base}/api/v1`,
    `${base}/mcp/eng#x`,
    'urn:x',
    '',
  ])
    assert.is(kindOf(foreign), undefined, foreign)
  assert.is(kindOf('http://127.0.0.1/mcp/eng', 'http://gate.example.com'), undefined)
})

test('an administrator’s property is nobody else’s, however a document spells its own address', () => {
  for (const clientId of ['https://a.example/c.json', 'HTTPS://a.example/c.json']) {
    const metadata: Record<string, unknown> = {
      client_id: clientId,
      gh_admin: true,
      grant_types: [JWT_BEARER],
      redirect_uris: ['https://a.example/cb'],
    }
    normalise(metadata, SCHEMES, false)
    assert.is(metadata['gh_admin'], undefined)
    assert.equal(metadata['grant_types'], ['authorization_code'])
  }
})

test.run()
