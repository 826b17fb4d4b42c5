import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { startEmbedded } from '../db/embedded.js'

export interface TestDatabase {
  readonly url: string
  /** Removes the database, even with connections open; the last one of a process takes the server with it. */
  drop(): Promise<void>
}

export interface TestServer {
  readonly url: string
  stop(): Promise<void>
}

let server: Promise<TestServer> | undefined
let databases = 0

/**
 * A new, empty database: on the server of `DATABASE_URL` when that is set, else on the embedded one
 * that the test runner or, without it, this process started. With `template`, a copy of that one, which must have no open connections.
 */
export async function testDatabase(options: { template?: TestDatabase } = {}): Promise<TestDatabase> {
  server ??= findServer()
  databases += 1
  const { url: serverUrl } = await server
  const name = `gatehouse_test_${randomBytes(6).toString('hex')}`
  const template = options.template ? ` TEMPLATE ${nameOf(options.template.url)}` : ''
  await onServer(serverUrl, `CREATE DATABASE ${name}${template}`)
  return { url: withName(serverUrl, name), drop: () => dropDatabase(serverUrl, name) }
}

async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await onServer(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  databases -= 1
  if (databases > 0) return
  const last = server
  server = undefined
  await (await last)?.stop()
}

async function findServer(): Promise<TestServer> {
  const given = process.env['DATABASE_URL'] || process.env['GATEHOUSE_TEST_SERVER']
  return given ? { url: given, stop: async () => undefined } : startTestServer()
}

/** An embedded server that forgets everything; the test runner starts one for all files of a run. */
export async function startTestServer(): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), 'gh-db-'))
  const quiet = { debug: ignore, info: ignore, warn: ignore, error: console.error }
  const embedded = await startEmbedded({ dir, log: quiet, throwaway: true })
  const kill = (): void => killServer(dir)
  process.once('exit', kill).once('SIGTERM', end)
  return {
    url: embedded.url,
    stop: async () => {
      process.off('exit', kill).off('SIGTERM', end)
      await embedded.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** A test that ends early must not leave its server behind; nothing can be awaited then. */
function killServer(dir: string): void {
  for (const folder of readdirSync(dir)) {
    const pid = Number(readFileSync(join(dir, folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
    if (pid > 0) process.kill(pid, 'SIGQUIT')
  }
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1)
}

function withName(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

function end(): void {
  process.exit(143)
}

function ignore(): void {}
