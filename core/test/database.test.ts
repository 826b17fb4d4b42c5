import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase } from './database.js'

async function rows(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows
  } finally {
    await client.end()
  }
}

test('gives each caller a database of its own', async () => {
  const [one, other] = await Promise.all([testDatabase(), testDatabase()])
  await rows(one.url, 'CREATE TABLE mine (id int)')
  assert.equal(await rows(other.url, `SELECT to_regclass('mine') AS found`), [{ found: null }])
  await one.drop()
  await other.drop()
})

test('copies a template, so that migrations run once', async () => {
  const template = await testDatabase()
  await rows(template.url, 'CREATE TABLE made AS SELECT 7 AS id')
  const copy = await testDatabase({ template })
  assert.equal(await rows(copy.url, 'SELECT id FROM made'), [{ id: 7 }])
  await copy.drop()
  await template.drop()
})

test('drops a database that somebody is still connected to', async () => {
  const database = await testDatabase()
  const client = new Client({ connectionString: database.url })
  const ended = new Promise((resolve) => client.on('error', resolve))
  await client.connect()
  await database.drop()
  await ended
})

test.run()
