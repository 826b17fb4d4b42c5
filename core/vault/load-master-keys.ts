import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { badKey, KEY_BYTES, parseMasterKeys } from './keys.js'
import type { MasterKey } from './keys.js'

export interface MasterKeySource {
  /** The keys themselves, `GATEHOUSE_MASTER_KEY`. */
  readonly inline?: string | null
  /** A file with the keys, `GATEHOUSE_MASTER_KEY_FILE`; whoever mounts it answers for its mode. */
  readonly file?: string | null
  /** The data folder, where a key is made once when neither is given. */
  readonly home: string
}

/** The master keys, newest first; the first seals, all open. */
export async function loadMasterKeys({ inline, file, home }: MasterKeySource): Promise<MasterKey[]> {
  if (inline && file) throw badKey('give GATEHOUSE_MASTER_KEY or GATEHOUSE_MASTER_KEY_FILE, not both')
  if (inline) return parseMasterKeys(inline, 'GATEHOUSE_MASTER_KEY')
  const own = path.join(home, 'master.key')
  const place = file ?? own
  if (!file) await makeOnce(own, home)
  if (isInside(place, home)) await refuseReadable(place)
  return parseMasterKeys(await read(place), place)
}

// Written aside and linked into place: a half-written key is never seen, and of two starts at once one key wins.
async function makeOnce(place: string, home: string): Promise<void> {
  if (await exists(place)) return
  await mkdir(home, { recursive: true })
  const aside = `${place}.${randomBytes(6).toString('hex')}`
  const handle = await open(aside, 'wx', 0o600)
  try {
    await handle.chmod(0o600)
    await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    await link(aside, place)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw badKey(`${place} cannot be made`, error)
  } finally {
    await unlink(aside)
  }
}

async function exists(place: string): Promise<boolean> {
  return stat(place).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw badKey(`${place} cannot be read`, error)
    },
  )
}

function isInside(place: string, home: string): boolean {
  const relative = path.relative(path.resolve(home), path.resolve(place))
  return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative)
}

// Windows keeps no such modes: there the folder's own rights decide.
async function refuseReadable(place: string): Promise<void> {
  const { mode } = await stat(place).catch((error: unknown) => {
    throw badKey(`${place} cannot be read`, error)
  })
  const open = mode & 0o077
  if (open !== 0 && path.sep === '/') {
    throw badKey(`${place} can be read by others (mode ${(mode & 0o777).toString(8)}); run: chmod 600 ${place}`)
  }
}

async function read(place: string): Promise<string> {
  return readFile(place, 'utf8').catch((error: unknown) => {
    throw badKey(`${place} cannot be read`, error)
  })
}
