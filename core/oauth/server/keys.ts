import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { KeyRow, KeyRows, KeyUse } from '../../db/repositories/oauth-keys.js'

/** What every replica must share, or a way begun at one breaks at the other. */
export interface ServerKeys {
  /** The one that signs comes first. Only identity tokens are signed. */
  readonly signing: readonly JWK[]
  /** The one that signs comes first; all verify. */
  readonly cookies: readonly string[]
  /** Changes when any key does. */
  readonly version: string
}

export interface KeyringOptions {
  readonly rows: KeyRows
  /** Runs while no other replica runs the same: two would make two sets. */
  readonly lock: <T>(work: () => Promise<T>) => Promise<T>
}

const DAY = 24 * 3_600_000
/** How old a key gets, how long it is announced before, and how long it is accepted after: longer than any cookie or ID token. */
const LIFE = 90 * DAY
const ANNOUNCED = DAY
const ACCEPTED = 2 * DAY
const USES: readonly KeyUse[] = ['signing', 'cookie']

/** The keys, made when there are none. */
export async function loadKeys({ rows, lock }: KeyringOptions): Promise<ServerKeys> {
  const known = await rows.all()
  if (USES.every((use) => known.some((row) => row.use === use && row.state === 'current'))) return sorted(known)
  return lock(async () => {
    const present = await rows.all()
    for (const use of USES)
      if (!present.some((row) => row.use === use && row.state === 'current'))
        await rows.add(use, 'current', await make(use))
    return sorted(await rows.all())
  })
}

/** One step of the rotation, when it is due: announced, used, dropped. In a `hurry` the next step is due at once. */
export function turnKeys({ rows, lock }: KeyringOptions, { hurry = false } = {}): Promise<void> {
  return lock(async () => {
    for (const use of USES) {
      const own = (await rows.all()).filter((row) => row.use === use)
      const age = (state: KeyRow['state']) => own.find((row) => row.state === state)?.age
      const next = age('next')
      if (next === undefined && (hurry || (age('current') ?? 0) > LIFE)) await rows.add(use, 'next', await make(use))
      else if (next !== undefined && (hurry || next > ANNOUNCED)) await rows.promote(use)
      for (const row of own) if (row.state === 'old' && row.age > ACCEPTED) await rows.remove(row.id)
    }
  })
}

async function make(use: KeyUse): Promise<string> {
  if (use === 'cookie') return randomBytes(32).toString('base64url')
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return JSON.stringify({
    ...(await exportJWK(privateKey)),
    kid: randomBytes(12).toString('base64url'),
    use: 'sig',
    alg: 'ES256',
  })
}

function sorted(rows: readonly KeyRow[]): ServerKeys {
  const of = (use: KeyUse) => rows.filter((row) => row.use === use).map(({ key }) => key)
  return {
    signing: of('signing').map((key) => JSON.parse(key) as JWK),
    cookies: of('cookie'),
    version: rows.map(({ id, state }) => `${id} ${state}`).join(),
  }
}
