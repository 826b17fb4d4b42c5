// time-limit: 300
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase } from '../database.js'
import { makeHome } from '../gateway.js'
import { createAiClient } from './ai-client.js'
import { oauthHouse } from './house.js'

const key = () => randomBytes(32).toString('base64')

test('what clients were given outlives a restart and a new master key', async () => {
  const [database, home] = [await testDatabase(), await makeHome()]
  const [old, renewed] = [key(), key()]
  // An address of its own, known before: it is the issuer, and must stay.
  const port = String(20_000 + Math.floor(Math.random() * 20_000))
  const begin = (keys: string) =>
    oauthHouse({ home, databaseUrl: database.url, env: { GATEHOUSE_MASTER_KEY: keys, PORT: port } })
  const first = await begin(old)
  const eng = `${first.url}/mcp/eng`
  const client = createAiClient(first.url)
  const tokens = await client.connect(await first.person('ann@example.com'), eng)
  await first.stop()

  const second = await begin(`${renewed},${old}`)
  assert.is((await second.call('/mcp/eng', tokens.access_token)).status, 200)
  const counts = await second.gateway.api('POST', '/keys/rotate')
  assert.is(counts['failed'], 0)
  assert.ok(Number(counts['rotated']) >= 5, JSON.stringify(counts))
  await second.stop()

  const third = await begin(renewed)
  const { status, json } = await client.refresh(tokens.refresh_token)
  assert.is(status, 200, JSON.stringify(json))
  assert.is((await third.call('/mcp/eng', json.access_token)).status, 200)
  for (const line of third.gateway.logs().split('\n').filter(Boolean))
    assert.ok(/^\{|^Warning:|^\(|^oidc-provider WARNING: Unsupported runtime/.test(line), line)
  await third.stop()
  await rm(home, { recursive: true, force: true })
  await database.drop()
})

test.run()
