import { createHash, randomBytes } from 'node:crypto'

/** A new secret, shown once to the one it is for; only `hash` is stored. */
export interface MintedSecret {
  readonly secret: string
  /** Lower-case hex SHA-256. */
  readonly hash: string
  readonly lastFour: string
}

/** 256 random bits behind a prefix that says what they open. */
export function mintSecret(prefix: 'API_' | 'gpat_'): MintedSecret {
  const secret = prefix + randomBytes(32).toString('base64url')
  return { secret, hash: hashSecret(secret), lastFour: secret.slice(-4) }
}

export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')
