import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { User } from '../domain/nouns.js'
import { OPERATOR_EMAIL, SUPER_ADMIN } from '../domain/people.js'
import type { Store } from '../domain/store.js'
import { mintSecret } from '../identity/tokens.js'

const LABEL = 'command line'

/** The person behind the credential that lies in the home; there before the first file is applied, which may name it. */
export async function ensureOperator(store: Store): Promise<User> {
  const known = await store.users.byKey(OPERATOR_EMAIL)
  if (known !== null) return known
  return store.users.insert({
    email: OPERATOR_EMAIL,
    name: 'Operator',
    role: SUPER_ADMIN,
    enabled: true,
    managedBy: 'system',
  })
}

/**
 * Leaves the credential that the `gatehouse` command uses in the home, mode 0600: whoever can read the home of a running
 * gateway administers it. A new one at every start; the one before it ends.
 */
export async function leaveCredential(store: Store, home: string, url: string, place: string): Promise<void> {
  const secret = mintSecret('gpat_')
  const label = `${LABEL} (${place})`
  await store.transaction(async (tx) => {
    const operator = await ensureOperator(tx)
    await tx.tokens.removeOf({ kind: 'admin', label, managedBy: 'system' })
    await tx.tokens.insert({
      kind: 'admin',
      label,
      hash: secret.hash,
      lastFour: secret.lastFour,
      connectionId: null,
      userId: operator.id,
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
      enabled: true,
      managedBy: 'system',
    })
    await tx.bumpEpoch()
  })
  await mkdir(home, { recursive: true })
  const aside = join(home, `cli.json.${suffix()}`)
  await writeFile(aside, JSON.stringify({ url, token: secret.secret }), { mode: 0o600 })
  await chmod(aside, 0o600)
  await rename(aside, join(home, 'cli.json'))
}

/** Two starts at once must not write into one file. */
const suffix = () => mintSecret('gpat_').lastFour
