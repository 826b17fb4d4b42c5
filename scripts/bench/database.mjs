import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Client } from 'pg'
import { startEmbedded } from '../../core/dist/db/embedded.js'

const quiet = { debug() {}, info() {}, warn() {}, error: (fields, text) => console.error(text, fields) }

/** A PostgreSQL for this run alone, with its ordinary durability, so that its processes and their CPU are known apart. */
export async function startPostgres(dir) {
  const server = await startEmbedded({ dir, log: quiet })
  const pid = await postmasterOf(dir)
  return {
    pid,
    /** A new database and what is read of its record. */
    async create(name) {
      const admin = await connected(server.url)
      await admin.query(`create database ${name}`)
      await admin.end()
      const url = new URL(server.url)
      url.pathname = `/${name}`
      return { url: url.href }
    },
    stop: () => server.stop(),
  }
}

async function postmasterOf(dir) {
  for (const name of await readdir(dir)) {
    const text = await readFile(join(dir, name, 'data', 'postmaster.pid'), 'utf8').catch(() => null)
    if (text !== null) return Number(text.split('\n')[0])
  }
  throw new Error(`no database server runs in ${dir}`)
}

async function connected(url) {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Looks at the record of one gateway through a connection whose own server process is told, so that its CPU can be left out. */
export async function openRecord(url) {
  const client = await connected(url)
  const number = async (text, values) => Number((await client.query(text, values)).rows[0].n)
  const backend = await number('select pg_backend_pid() as n')
  const countSince = (seq) =>
    number(`select count(*) as n from messages where seq > $1 and method = 'tools/call'`, [seq])
  return {
    backend,
    mark: () => number('select coalesce(max(seq), 0) as n from messages'),
    /** Waits until `calls` calls have come in since `mark`; answers how many have, after `patience` milliseconds at most. */
    async settled(mark, calls, patience) {
      const until = performance.now() + patience
      for (;;) {
        const found = await countSince(mark)
        if (found >= calls || performance.now() > until) return found
        await wait(20)
      }
    },
    /** All calls in the record, and how many of them it tells to have been answered well. */
    async total() {
      const { rows } = await client.query(
        `select count(*)::int as calls, count(*) filter (where not failed)::int as good, count(distinct id)::int as ids
           from messages where method = 'tools/call'`,
      )
      return rows[0]
    },
    /** How often each type of alert was raised, its repeats counted. */
    async alerts() {
      const { rows } = await client.query(
        'select type, sum(count)::int as times from alerts group by type order by type',
      )
      return Object.fromEntries(rows.map(({ type, times }) => [type, times]))
    },
    /** As many messages as if they had been called in the last weeks, with a body each; answers where the record then ends. */
    async fill(messages, bytes) {
      const text = 'a stored text of some length, which holds nothing of note. '.repeat(bytes / 59 + 1).slice(0, bytes)
      await client.query(
        `with made as (
           insert into messages (at, id, method, feature_type, feature, gateway_id, outcome, duration_ms, legs)
           select clock_timestamp() - n * interval '20 seconds', gen_random_uuid(), 'tools/call', 'tool', 'echo',
             (select id from gateways where slug = 'bench'), 'proxy_response_success', 1, '[]'
           from generate_series(1, $1::int) n returning at, id)
         insert into message_bodies (at, id, request)
         select at, id, jsonb_build_object('params', jsonb_build_object('name', 'echo', 'arguments', jsonb_build_object('text', $2::text)))::text
         from made`,
        [messages, text],
      )
      await client.query('analyze messages, message_bodies')
      return number('select coalesce(max(seq), 0) as n from messages')
    },
    close: () => client.end(),
  }
}
