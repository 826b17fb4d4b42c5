// time-limit: 300
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { refusedStart, startGateway, type RunningGateway } from '../gateway.js'

/** A gateway that the world reaches: nothing inside is open to it unless its operator says so. */
const PUBLIC = { GATEHOUSE_URL: 'https://gate.example.com' }

const INSIDE = [
  'http://dlp.example.com/inspect',
  'https://127.0.0.1/inspect',
  'https://10.0.0.1/inspect',
  'https://169.254.169.254/latest/meta-data',
  'https://[::ffff:10.0.0.1]/',
  'https://0x7f000001/',
  'https://１２７.0.0.1/',
  'https://localhost/inspect',
  'https://metadata.google.internal/',
  'https://dlp/inspect',
  'https://dlp.corp/inspect',
  'https://example.com:25/inspect',
  'https://user:secret@dlp.example.com/',
]

let gateway: RunningGateway
test.before(async () => {
  gateway = await startGateway({ env: PUBLIC })
})
test.after(() => gateway.stop())

const refusal = (path: string, body: unknown, method = 'POST') =>
  gateway.api(method, path, body).then(
    () => 'taken',
    (error: unknown) => String(error),
  )

test('an engine, a server and an exporter inside are refused when they are saved, changed or tried', async () => {
  const url = 'https://dlp.example.com/inspect'
  await gateway.api('POST', '/engines', { slug: 'dlp', kind: 'webhook', url })
  for (const inside of INSIDE) {
    const keys = { kind: 'webhook', url: inside }
    assert.match(await refusal('/engines', { slug: 'other', ...keys }), ': 400 ', inside)
    assert.match(await refusal('/engines/dlp', { url: inside }, 'PATCH'), ': 400 ', inside)
    assert.match(
      await refusal('/engines/test', { kind: 'webhook', instance: { url: inside }, text: 'x' }),
      ': 400 ',
      inside,
    )
    assert.match(await refusal('/servers', { slug: 'other', url: inside }), ': 400 ', inside)
    assert.match(await refusal('/exporters', { slug: 'other', plugin: 'siem-otlp', url: inside }), ': 400 ', inside)
  }
  const { items } = (await gateway.api('GET', '/engines')) as { items: { url: string }[] }
  assert.equal(
    items.map((engine) => engine.url),
    [url],
  )
})

test('so they are in the operator’s file, which opens them by the environment alone', async () => {
  const yaml = 'version: 1\nengines:\n  dlp: { kind: webhook, url: "http://10.0.0.1/inspect" }\n'
  const { said, code } = await refusedStart({ yaml, env: PUBLIC })
  assert.is(code, 1)
  assert.match(said, /engines\.dlp.*10\.0\.0\.1 is not a public address/s)
  const open = await startGateway({ yaml, env: { ...PUBLIC, GATEHOUSE_EGRESS_ALLOW: '10.0.0.0/8' } })
  await open.stop()
})

test.run()
