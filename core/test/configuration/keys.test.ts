// time-limit: 120
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { Pool } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase } from '../database.js'
import { call, legacy, type Answer } from '../door.js'
import { answerJson, callsOf, fakeUpstream } from '../fake-upstream.js'
import { makeHome, startGateway, type Access, type RunningGateway } from '../gateway.js'
import { gatehouse } from './command.js'

const newKey = () => randomBytes(32).toString('base64')
const SECRETS = 240

test('keys rotate seals every secret anew under load, and no call fails', async () => {
  const server = await fakeUpstream((seen) =>
    answerJson(seen, { result: { content: [], by: seen.headers['x-key'] ?? 'nobody' } }),
  )
  const database = await testDatabase()
  const home = await makeHome()
  const [old, fresh] = [newKey(), newKey()]
  const start = (keys: string) => startGateway({ home, databaseUrl: database.url, env: { GATEHOUSE_MASTER_KEY: keys } })
  const sealed = async (): Promise<readonly string[]> => {
    const pool = new Pool({ connectionString: database.url, max: 1 })
    const { rows } = await pool.query<{ sealed: string }>(
      'select sealed from secrets union all select payload from one_time union all select sealed from oauth_keys union all select sealed from body_keys',
    )
    await pool.end()
    return rows.map((row) => row.sealed)
  }

  let gateway: RunningGateway = await start(old)
  await gateway.api('POST', '/servers', {
    slug: 'only',
    url: server.url,
    auth: { headers: { 'X-Key': 'swordfish' } },
  })
  for (let n = 0; n < SECRETS / 20; n += 1) {
    const headers = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`X-${i}`, `spare ${n}`]))
    await gateway.api('POST', '/servers', { slug: `spare-${n}`, url: server.url, auth: { headers } })
  }
  await gateway.api('POST', '/gateways', { slug: 'house', servers: [{ server: 'only' }] })
  await gateway.stop()
  const before = await sealed()
  assert.ok(before.length > SECRETS)

  gateway = await start(`${fresh},${old}`)
  const access = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  const load = startLoad(access)
  const { code, out, err } = await gatehouse(gateway, ['keys', 'rotate', '--json'])
  const answers = await load()
  assert.is(code, 0, err)
  const { seen, rotated, current, changed, failed } = JSON.parse(out) as Record<string, number>
  assert.equal({ rotated, changed, failed }, { rotated: before.length, changed: 0, failed: 0 })
  // What this start made was sealed with the new key from the beginning: a set-up link, and the authorization server's keys.
  assert.is(seen, before.length + (current ?? 0))
  assert.ok((current ?? 0) >= 1)
  assert.ok(answers.length > 20, `${answers.length} calls were under way`)
  for (const { json, text } of answers) assert.is(json?.result?.by, 'swordfish', text)
  const after = await sealed()
  assert.ok(after.length >= (seen ?? 0))
  const oldId = idOf(before[0])
  assert.ok(
    after.every((one) => idOf(one) !== oldId),
    'nothing is sealed with the old key',
  )
  assert.is(new Set(after).size, after.length)
  assert.not.match([...after, out, gateway.logs()].join('\n'), /swordfish/)
  await gateway.stop()

  gateway = await start(fresh)
  const again = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  assert.is((await legacy(again, call('act'))).json.result.by, 'swordfish', 'the old key is not needed any more')
  const { out: twice } = await gatehouse(gateway, ['keys', 'rotate'])
  const [, all = ''] = /^0 of (\d+) secrets sealed anew/.exec(twice) ?? []
  assert.ok(Number(all) > after.length)
  assert.match(twice, new RegExp(`, ${all} were up to date`))
  assert.ok(callsOf(server).length >= answers.length)
  await gateway.stop()
  await server.stop()
  await database.drop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const idOf = (sealed = ''): string => sealed.split('.')[1] ?? ''

/** Four agents without a pause; answers how to end it and what they were told. */
function startLoad(access: Access): () => Promise<readonly Answer[]> {
  const answers: Answer[] = []
  let isOver = false
  const agent = async () => {
    while (!isOver) answers.push(await legacy(access, call('act')))
  }
  const agents = [agent(), agent(), agent(), agent()]
  return async () => {
    isOver = true
    await Promise.all(agents)
    return answers
  }
}

test.run()
