// time-limit: 90
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { startGateway } from '../gateway.js'

test('a gateway whose public name is elsewhere starts on any free port, and reaches its own documentation there', async () => {
  const gateway = await startGateway({ env: { PORT: '0', GATEHOUSE_URL: 'https://gate.example.com' } })
  try {
    assert.is(gateway.url, 'https://gate.example.com')
    const { url: local } = JSON.parse(await readFile(join(gateway.home, 'cli.json'), 'utf8')) as { url: string }
    const access = await gateway.mintToken({ gateway: 'quickstart', host: 'agent' })
    assert.is(access.url, 'https://gate.example.com/mcp/quickstart')
    const there = { ...access, url: `${local}/mcp/quickstart` }
    const { json, text } = await legacy(there, call('search_docs', { query: 'first call' }))
    assert.ok(json?.result, text)
    const closed = await gateway.api('POST', '/servers', { slug: 'own', url: 'http://127.0.0.1:9/mcp' }).catch(String)
    assert.match(String(closed), /not a public address/)
  } finally {
    await gateway.stop()
  }
})

test.run()
