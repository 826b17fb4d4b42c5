import { execFile } from 'node:child_process'
import { chmod, lstat, readdir, realpath, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { PluginLog } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'

const run = promisify(execFile)
const toolEnv = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }
const userName = 'postgres'

/** Whom the server runs as, `change` being set when that is not who we are: PostgreSQL refuses to run as root. */
export interface Account {
  readonly uid: number
  readonly gid: number
  readonly change: boolean
}

/** As root: the owner of what is there already, else the system's `postgres` user, which is made when it is missing. */
export async function findAccount(existing: string, log: PluginLog): Promise<Account> {
  const { uid, gid } = userInfo()
  if (uid !== 0) return { uid, gid, change: false }
  const owner = await stat(existing).catch(() => undefined)
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid, change: true }
  return { ...((await lookUp()) ?? (await createUser(log))), change: true }
}

/**
 * Lets the server's account pass through root's own folders on the way to `path`: the right to pass (`o+x`), never to
 * list or read. Folders of other people are not touched; the error says what to do.
 */
export async function makeReachable(path: string, account: Account, log: PluginLog): Promise<void> {
  if (!account.change) return
  for (let folder = await realpath(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder)
    const needed = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & needed) === 0) {
      if (uid !== 0) throw unreachable(folder)
      await chmod(folder, (mode & 0o7777) | needed)
      log.warn({ folder }, 'let the database user pass through this folder (o+x), since Gatehouse runs as root')
    }
    if (folder === dirname(folder)) return
  }
}

/** A tight umask at installation leaves programs that only root can run. */
export async function makeReadable(folder: string, probe: string, account: Account): Promise<void> {
  if (!account.change || ((await stat(probe)).mode & 0o005) === 0o005) return
  for (const entry of [folder, ...(await readdir(folder, { recursive: true })).map((name) => join(folder, name))]) {
    const found = await lstat(entry)
    if (found.isSymbolicLink()) continue
    await chmod(entry, (found.mode & 0o7777) | 0o004 | (found.mode & 0o100 ? 0o001 : 0))
  }
}

async function lookUp(): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, userName], { env: toolEnv })).stdout)),
    )
    return { uid: uid as number, gid: gid as number }
  } catch {
    return undefined
  }
}

async function createUser(log: PluginLog): Promise<{ uid: number; gid: number }> {
  const flags = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin']
  try {
    await run('useradd', [...flags, userName], { env: toolEnv })
  } catch (cause) {
    throw new GatehouseError('GH_DB_EMBEDDED', {
      message:
        'PostgreSQL refuses to run as root, and the user "postgres" could not be made. Run Gatehouse as a normal ' +
        'user, make that user yourself, or set DATABASE_URL.',
      cause,
    })
  }
  log.info({ user: userName }, 'made a user for the embedded database, since PostgreSQL refuses to run as root')
  const made = await lookUp()
  if (made === undefined) throw new GatehouseError('GH_DB_EMBEDDED', { detail: 'the new user is not found' })
  return made
}

function unreachable(folder: string): GatehouseError {
  return new GatehouseError('GH_DB_EMBEDDED', {
    message:
      `The embedded database runs as another user than root and cannot pass through ${folder}. Run Gatehouse as the ` +
      'owner of that folder, choose another GATEHOUSE_HOME, or set DATABASE_URL.',
  })
}
