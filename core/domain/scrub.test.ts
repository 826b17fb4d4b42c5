import type { Alert, Json } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scrubAlert, scrubText } from './scrub.js'

const ALERT: Alert = { type: 'server_auth_failed', severity: 'error', key: 'k', message: 'm' }
const scrubbed = (context: Record<string, Json>) => scrubAlert({ ...ALERT, context }).context
const GONE = '[REDACTED]'

for (const key of [
  ...['authorization', 'Authorization', 'PROXY-AUTHORIZATION', 'cookie', 'Set-Cookie', 'set_cookie', 'x-auth-token'],
  ...['access_token', 'accessToken', 'ACCESS-TOKEN', 'refresh_token', 'id_token', 'token', 'tokens', 'session_id'],
  ...['client_secret', 'clientSecret', 'secret', 'password', 'Password', 'db_password', 'passwd', 'passphrase', 'pwd'],
  ...[
    'api_key',
    'apiKey',
    'API-KEY',
    'x-api-key',
    'private_key',
    'client_assertion',
    'code_verifier',
    'aws_access_key_id',
  ],
])
  test(`what stands under ${key} is never stored`, () => {
    for (const value of ['swordfish', { deep: 'swordfish' }, ['swordfish'], 123_456]) {
      assert.equal(scrubbed({ [key]: value }), { [key]: GONE })
      assert.equal(scrubbed({ outer: [{ [key]: value }] }), { outer: [{ [key]: GONE }] })
    }
  })

test('a value is hidden where its name stands beside it', () => {
  const headers = [{ name: 'Authorization', value: 'swordfish' }]
  assert.equal(scrubbed({ headers }), { headers: [{ name: 'Authorization', value: GONE }] })
  assert.equal(scrubbed({ headers: [['X-Api-Key', 'swordfish']] }), { headers: [['X-Api-Key', GONE]] })
  assert.equal(scrubbed({ raw: ['cookie', 'swordfish', 'accept', '*/*'] }), { raw: ['cookie', GONE, 'accept', '*/*'] })
  const required = ['password', 'name']
  assert.equal(scrubbed({ required }), { required })
})

test('what only speaks of secrets stays', () => {
  const kept = { identity: 'crm-reader', credential: 'of the server', error: 'GH_UPSTREAM_AUTH', estimated_tokens: 12 }
  assert.equal(scrubbed({ ...kept, hasPassword: true, token: null }), { ...kept, hasPassword: true, token: null })
})

test('a parameter that is called like a secret is shown, for a change of it is what one must see', () => {
  const schema = { properties: { password: { type: 'string', description: 'now also for evil.example' } } }
  assert.equal(scrubbed({ after: schema }), { after: schema })
  assert.equal(scrubbed({ properties: { password: 'swordfish' } }), { properties: { password: GONE } })
})

const SECRET = 'aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9f'
for (const [text, left] of [
  [`the token API_${SECRET} was refused`, `the token API_${GONE} was refused`],
  [`gpat_${SECRET}`, `gpat_${GONE}`],
  [`gscim_${SECRET}.`, `gscim_${GONE}.`],
  [`sent Bearer ${SECRET} there`, `sent Bearer ${GONE} there`],
  [`Basic YWRtaW46aHVudGVyMg==`, `Basic ${GONE}`],
  [`Authorization: Digest username="x", response="${SECRET}"`, /^Authorization: \[REDACTED\]/],
  [`{"authorization":"Custom ${SECRET}"}`, `{"authorization":"${GONE}"}`],
  [`Set-Cookie: sid=${SECRET}; HttpOnly`, `Set-Cookie: ${GONE}`],
  [`eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${SECRET} is expired`, `${GONE} is expired`],
  ['cannot reach https://ana:p@ss@crm.example.com/mcp', `cannot reach https://${GONE}@crm.example.com/mcp`],
  ['postgres://u:p@h/db', `postgres://${GONE}@h/db`],
  ['GET https://x.example.com/?api_key=abc&page=2', `GET https://x.example.com/?api_key=${GONE}&page=2`],
  ['https://x.example.com/cb?code=abc123&state=9', `https://x.example.com/cb?code=${GONE}&state=9`],
  ['https://x.example.com/?a=1&access_token=abc#f', /access_token=\[REDACTED\]/],
  ['{"client_secret": "abc", "n": 1}', `{"client_secret": "${GONE}", "n": 1}`],
  ['password=hunter2 for ana', `password=${GONE} for ana`],
  ['key ghp_abcdefghijklmnopqrstuvwxyz0123456789', `key ${GONE}`],
  ['xoxb-1234567890-abcdefghij', GONE],
  ['AKIAIOSFODNN7EXAMPLE', GONE],
  ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----', GONE],
  ['-----BEGIN PRIVATE KEY-----\nMIIE', GONE],
  // A text within a text, words within quotes, names with something before them.
  ['{\\"password\\":\\"hunter2\\"}', `{\\"password\\":\\"${GONE}\\"}`],
  ['{"password":"correct hunter2 staple","n":1}', `{"password":"${GONE}","n":1}`],
  ['PGPASSWORD=hunter2 psql', `PGPASSWORD=${GONE} psql`],
  ['GITHUB_TOKEN=hunter2', `GITHUB_TOKEN=${GONE}`],
  ['AWS_SECRET_ACCESS_KEY=hunter2', `AWS_SECRET_ACCESS_KEY=${GONE}`],
  ['dbPassword => hunter2', `dbPassword => ${GONE}`],
  ['crm --db-password hunter2 --verbose', `crm --db-password ${GONE} --verbose`],
  ['<password>hunter2</password>', `<password>${GONE}</password>`],
  ['to=https%3A%2F%2Fx%2F%3Faccess_token%3Dhunter2', /access_token%3D\[REDACTED\]/],
  ['[["x-api-key","hunter2"],["accept","*/*"]]', `[["x-api-key","${GONE}"],["accept","*/*"]]`],
  ['{"name":"Authorization","value":"hunter2"}', `{"name":"Authorization","value":"${GONE}"}`],
  ['POST https://hooks.slack.com/services/T0/B0/hunter2', `POST https://hooks.slack.com/services/${GONE}`],
  ['https://api.telegram.org/bot123456:hunter2hunter2hunter2/x', `https://api.telegram.org/bot123456:${GONE}/x`],
] as const)
  test(`a secret inside a text is cut out: ${text.slice(0, 40).replaceAll('\n', ' ')}`, () => {
    const clean = scrubText(text)
    if (typeof left === 'string') assert.is(clean, left)
    else assert.match(clean, left)
    for (const secret of [SECRET, 'hunter2', 'p@ss', 'MIIE', 'abc123']) assert.not.match(clean, secret)
    assert.is(scrubText(clean), clean, 'twice is once')
  })

for (const text of [
  'Server "crm" refused the credential (HTTP 401)',
  'A spent refresh token was used again, so its grant was ended: somebody may have stolen it',
  "Rule 'Tell me of secrets' found 2 API keys",
  'Basic authentication is not offered, and Bearer authentication is',
  'The token endpoint https://as.example.com/oauth/token answered invalid_grant',
  'mail to ana@example.com',
  'max_tokens: 512 and completionTokens=3',
  'The design: a password must be sent',
])
  test(`an honest message stays: ${text.slice(0, 40)}`, () => assert.is(scrubText(text), text))

test('message and key are scrubbed like the context', () => {
  const { key, message, context } = scrubAlert({
    ...ALERT,
    key: `x/gpat_${SECRET}`,
    message: `gpat_${SECRET}`,
    context: { words: [`gpat_${SECRET}`] },
  })
  assert.not.match(JSON.stringify([key, message, context]), SECRET)
})

test('a context is at most 64 KiB, and what was left out is said', () => {
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`field${n}`, 'x'.repeat(8_000)]))
  const context = scrubbed({ ...many, small: 'stays' }) ?? {}
  assert.ok(Buffer.byteLength(JSON.stringify(context)) <= 64 * 1024)
  assert.is(context['small'], 'stays')
  assert.match(JSON.stringify(context), /left out: 8002 bytes/)
  let deep: Json = 'swordfish'
  for (let n = 0; n < 100; n += 1) deep = { deep }
  assert.not.match(JSON.stringify(scrubbed({ deep })), /swordfish/)
})

test('what no database can hold is made into something that it can', () => {
  const { message, context } = scrubAlert({ ...ALERT, message: 'a\0b\ud800', context: { 'k\0': ['\udc00', '😀'] } })
  assert.equal([message, context], ['a\ufffdb\ufffd', { 'k\ufffd': ['\ufffd', '😀'] }])
})

test('no text holds the gateway up', () => {
  const started = performance.now()
  for (const piece of [
    'eyJ-',
    'a',
    'Bearer ',
    'a://',
    '-----BEGIN PRIVATE KEY-----',
    'token=',
    'a@',
    'sk-',
    '?code=',
    ...[
      'password":"',
      '\\"token\\":\\"',
      'cookie","',
      '--password ',
      '<secret>',
      '<a',
      '--a',
      'x-',
      'bot12345:',
      '"value":',
    ],
  ])
    scrubText(piece.repeat(64_000))
  assert.ok(performance.now() - started < 2_000)
})

test.run()
