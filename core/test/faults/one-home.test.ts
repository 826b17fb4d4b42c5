// time-limit: 180
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase } from '../database.js'
import { makeHome, refusedStart, startGateway } from '../gateway.js'
import { until } from '../until.js'

test('a second gateway on the home of one that runs is refused, and the first goes on', async () => {
  const database = await testDatabase()
  for (const databaseUrl of [null, database.url]) {
    const home = await makeHome()
    const first = await startGateway({ home, databaseUrl })
    const { said, code } = await refusedStart({ home, databaseUrl })
    assert.is(code, 1)
    assert.match(said, /Gatehouse cannot start: Another/)
    assert.ok(said.includes(home), 'the folder is named')
    assert.ok((await fetch(`${first.url}/readyz`)).ok)
    await first.stop()
    const again = await startGateway({ home, databaseUrl })
    await again.stop()
    await rm(home, { recursive: true, force: true })
  }
  await database.drop()
})

test('two gateways with homes of their own share a database, and a token made at one opens the other', async () => {
  const database = await testDatabase()
  const env = { GATEHOUSE_MASTER_KEY: randomBytes(32).toString('base64') }
  const [one, other] = [
    await startGateway({ databaseUrl: database.url, env }),
    await startGateway({ databaseUrl: database.url, env }),
  ]
  const access = await one.mintToken({ gateway: 'quickstart', host: 'agent' })
  const ask = (url: string) =>
    fetch(`${url}/mcp/quickstart`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    }).then(async (answer) => (await answer.text(), answer.status))
  assert.equal([await ask(one.url), await ask(other.url)], [200, 200])
  await one.api('DELETE', `/tokens/${access.tokenId}`)
  assert.is(await ask(one.url), 401)
  // What a replica has heard it believes for less than a second.
  await until('the other one has heard of it', async () => ((await ask(other.url)) === 401 ? true : undefined), {
    seconds: 2,
  })
  await one.stop()
  await other.stop()
  await database.drop()
})

test('a gateway with another master key is refused at a database that has one, and told what to do', async () => {
  const database = await testDatabase()
  const first = await startGateway({ databaseUrl: database.url })
  const { said, code } = await refusedStart({ databaseUrl: database.url })
  assert.is(code, 1)
  assert.match(said, /another master key: give every gateway on it the same GATEHOUSE_MASTER_KEY/)
  await first.stop()
  await database.drop()
})

test.run()
