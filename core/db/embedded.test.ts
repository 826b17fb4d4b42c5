// time-limit: 240
import { execFile, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { startEmbedded } from './embedded.js'
import type { EmbeddedDatabase } from './embedded.js'

const isRoot = userInfo().uid === 0
const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore }
const starter = fileURLToPath(new URL('../test/embedded-starter.js', import.meta.url))

function ignore(): void {}

async function inFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'gh-embedded-'))
  try {
    await body(dir)
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

let made: Promise<string> | undefined

/** In a home that has its database already: a copy, since making one takes most of a second. */
async function inHome(body: (dir: string) => Promise<void>): Promise<void> {
  made ??= (async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gh-embedded-'))
    await (await start(dir)).stop()
    return dir
  })()
  const source = await made
  await inFolder(async (dir) => {
    const folders = (await readdir(source)).map((name) => join(source, name))
    await promisify(execFile)('cp', ['-a', ...folders, dir], { env: { PATH: '/usr/bin:/bin' } })
    await body(dir)
  })
}

test.after(async () => {
  if (made) await rm(await made, { recursive: true, force: true })
})

async function query(url: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows
  } finally {
    await client.end()
  }
}

const start = (dir: string): Promise<EmbeddedDatabase> => startEmbedded({ dir, log: quiet, throwaway: true })

async function refusal(work: Promise<unknown>): Promise<GatehouseError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.instance(error, GatehouseError)
  return error as GatehouseError
}

async function postmasterPid(dir: string): Promise<number> {
  const [folder] = await readdir(dir)
  return Number((await readFile(join(dir, folder ?? '', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])
}

/** A process that has ended, but that nobody has collected yet, does not count. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
    return !/^State:\tZ/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))
  } catch {
    return false
  }
}

/** Another process that starts the database in `dir` and keeps it until it is killed. */
async function startElsewhere(dir: string): Promise<{ url: string; kill(): Promise<void> }> {
  const child = fork(starter, [dir], { env: { PATH: '/usr/bin:/bin' } })
  const [url] = (await once(child, 'message')) as [string]
  return {
    url,
    kill: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

test('keeps what was written over a stop and a start', () =>
  inFolder(async (dir) => {
    const first = await start(dir)
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await first.stop()
    const second = await start(dir)
    assert.equal(await query(second.url, 'SELECT answer FROM kept'), [{ answer: 42 }])
    await second.stop()
  }))

test('listens on no network address, and only the right password opens the socket', () =>
  inHome(async (dir) => {
    const database = await start(dir)
    assert.equal(await query(database.url, 'SHOW listen_addresses'), [{ listen_addresses: '' }])
    const wrong = new URL(database.url)
    wrong.password = 'wrong'
    const error = await query(wrong.href, 'SELECT 1').catch((thrown: { code?: string }) => thrown.code)
    assert.is(error, '28P01')
    await database.stop()
  }))

test('syncs to disk unless it is a throwaway', () =>
  inHome(async (dir) => {
    const database = await startEmbedded({ dir, log: quiet })
    assert.equal(await query(database.url, 'SHOW fsync'), [{ fsync: 'on' }])
    assert.equal(await query(database.url, 'SHOW synchronous_commit'), [{ synchronous_commit: 'on' }])
    await database.stop()
  }))

test('keeps password and data from other users', () =>
  inFolder(async (dir) => {
    const database = await start(dir)
    const [folder] = await readdir(dir)
    for (const name of ['', 'password', 'data', 'run']) {
      const { mode } = await stat(join(dir, folder ?? '', name))
      assert.is(mode & 0o077, 0, `${name} is private`)
    }
    await database.stop()
  }))

test('leaves no server behind after a stop', () =>
  inHome(async (dir) => {
    const database = await start(dir)
    const pid = await postmasterPid(dir)
    await database.stop()
    assert.not(await isRunning(pid))
  }))

test('refuses a second process on the same folder and leaves the first alone', () =>
  inHome(async (dir) => {
    const first = await startElsewhere(dir)
    const error = await refusal(start(dir))
    assert.is(error.code, 'GH_DB_HELD')
    assert.match(error.message, 'DATABASE_URL')
    assert.equal(await query(first.url, 'SELECT 1 AS one'), [{ one: 1 }])
    await first.kill()
    await (await start(dir)).stop()
  }))

test('takes over the server of a killed process with all that was committed', () =>
  inHome(async (dir) => {
    const killed = await startElsewhere(dir)
    await query(killed.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    const pid = await postmasterPid(dir)
    await killed.kill()
    const next = await start(dir)
    assert.is(await postmasterPid(dir), pid)
    assert.equal(await query(next.url, 'SELECT answer FROM kept'), [{ answer: 42 }])
    await next.stop()
    await (await start(dir)).stop()
  }))

test('starts again when process and server were both killed', () =>
  inHome(async (dir) => {
    const killed = await startElsewhere(dir)
    await query(killed.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    const pid = await postmasterPid(dir)
    await killed.kill()
    process.kill(pid, 'SIGKILL')
    const next = await start(dir)
    assert.is.not(await postmasterPid(dir), pid)
    assert.equal(await query(next.url, 'SELECT answer FROM kept'), [{ answer: 42 }])
    await next.stop()
  }))

test('ends an orphan that does not take our password, and the fresh server too when it does not either', () =>
  inHome(async (dir) => {
    const killed = await startElsewhere(dir)
    await query(killed.url, `ALTER USER gatehouse PASSWORD 'changed'`)
    const pid = await postmasterPid(dir)
    await killed.kill()
    const error = await refusal(start(dir))
    assert.match(error.message, 'refuses the password')
    assert.not(await isRunning(pid))
    assert.is(await postmasterPid(dir).catch(() => 'none'), 'none')
  }))

test('does not harm a stranger whose pid stands in an old lock file', () =>
  inHome(async (dir) => {
    await (await start(dir)).stop()
    const stranger = spawn('sleep', ['300'], { env: { PATH: '/usr/bin:/bin' }, ...(isRoot ? await nobody() : {}) })
    const [folder] = await readdir(dir)
    const run = join(dir, folder ?? '', 'run')
    await writeFile(
      join(dir, folder ?? '', 'data', 'postmaster.pid'),
      `${stranger.pid}\n${dir}\n1\n5432\n${run}\n\n\nready\n`,
    )
    await (await start(dir)).stop()
    assert.is(stranger.exitCode ?? stranger.signalCode, null)
    stranger.kill('SIGKILL')
    await once(stranger, 'exit')
  }))

test('brings a server back that died under a running gateway', () =>
  inHome(async (dir) => {
    const lines: string[] = []
    let tell = ignore
    const back = new Promise<void>((resolve) => (tell = resolve))
    const log = {
      ...quiet,
      info: (_: unknown, line: string) => line.includes('again') && tell(),
      error: (_: unknown, line: string) => lines.push(line),
    }
    const database = await startEmbedded({ dir, log, throwaway: true })
    process.kill(await postmasterPid(dir), 'SIGKILL')
    await back
    assert.equal(await query(database.url, 'SELECT 1 AS one'), [{ one: 1 }])
    assert.match(lines.join('\n'), 'ended unexpectedly')
    await database.stop()
  }))

test('refuses the folder of another major version and says what to do', () =>
  inFolder(async (dir) => {
    await mkdir(join(dir, 'pg-15', 'data'), { recursive: true })
    await writeFile(join(dir, 'pg-15', 'data', 'PG_VERSION'), '15\n')
    const error = await refusal(start(dir))
    assert.is(error.code, 'GH_DB_EMBEDDED')
    assert.match(error.message, /PostgreSQL 15.*backup/)
  }))

test('works where the path is too long for a unix socket', () =>
  inFolder(async (dir) => {
    const deep = join(dir, 'a-folder-name-that-is-quite-long'.repeat(4), 'home')
    const database = await start(deep)
    assert.equal(await query(database.url, 'SELECT 1 AS one'), [{ one: 1 }])
    const socketDir = new URL(database.url).searchParams.get('host') ?? ''
    assert.is((await stat(socketDir)).mode & 0o777, 0o700)
    await database.stop()
    assert.is(await stat(socketDir).catch(() => 'gone'), 'gone')
  }))

if (isRoot) {
  test('as root, lets the server pass through its folders but not list them', () =>
    inFolder(async (dir) => {
      const home = join(dir, 'private', 'home')
      await mkdir(join(dir, 'private'), { mode: 0o700 })
      const database = await start(home)
      assert.is((await stat(join(dir, 'private'))).mode & 0o777, 0o701)
      await database.stop()
    }))

  test('as root, does not open the private folder of another user', () =>
    inFolder(async (dir) => {
      const { uid, gid } = await nobody()
      await mkdir(join(dir, 'theirs'), { mode: 0o700 })
      await chown(join(dir, 'theirs'), uid, gid)
      const error = await refusal(start(join(dir, 'theirs', 'home')))
      assert.is(error.code, 'GH_DB_EMBEDDED')
      assert.is((await stat(join(dir, 'theirs'))).mode & 0o777, 0o700)
    }))

  test('works as a normal user, and root then runs the server as that user', () =>
    inFolder(async (dir) => {
      await chmod(dir, 0o755)
      const home = join(dir, 'home')
      const { uid, gid } = await nobody()
      await mkdir(home, { mode: 0o700 })
      await chown(home, uid, gid)
      const child = fork(starter, [home], { uid, gid, env: { PATH: '/usr/bin:/bin', TMPDIR: dir } })
      const [url] = (await once(child, 'message')) as [string]
      assert.equal(await query(url, 'SELECT 1 AS one'), [{ one: 1 }])
      child.kill('SIGTERM')
      assert.equal(await once(child, 'exit'), [0, null])
      await (await start(home)).stop()
      assert.is((await stat(join(home, 'pg-18'))).uid, uid)
    }))
} else {
  test.skip()
}

async function nobody(): Promise<{ uid: number; gid: number }> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith('nobody:'))
  const [, , uid, gid] = (line ?? '').split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

test.run()
