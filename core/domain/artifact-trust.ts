import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { ArtifactVersion } from './artifacts.js'
import type { RuleModules } from './nouns.js'

/** Who vouches for a version by the settings of now, or why it must not run. */
export type Trust =
  { readonly ok: true; readonly signedBy: string | null } | { readonly ok: false; readonly reason: string }

const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex')

/** An Ed25519 key: base64 of its 32 bytes (RFC 8032), or PEM (RFC 8410); null for anything else. */
export function readPublicKey(text: string): KeyObject | null {
  try {
    const raw = Buffer.from(text, 'base64')
    const isRaw = /^[A-Za-z0-9+/]{43}=?$/.test(text) && raw.length === 32
    // A private key would do as well, and stand in the settings for all to see.
    if (!isRaw && !/^\s*-----BEGIN PUBLIC KEY-----/.test(text)) return null
    const key = isRaw
      ? createPublicKey({ key: Buffer.concat([SPKI_ED25519, raw]), format: 'der', type: 'spki' })
      : createPublicKey(text)
    return key.asymmetricKeyType === 'ed25519' ? key : null
  } catch {
    return null
  }
}

/**
 * Trust is what the settings say today: a key that is taken away vouches for nothing that it ever signed. `manifest` is its
 * canonical JSON.
 */
export function trustOf(
  { sha256, signature }: Pick<ArtifactVersion, 'sha256' | 'signature'>,
  manifest: string,
  { requireSignature, trustedKeys, revoked }: Omit<RuleModules, 'keepVersions'>,
): Trust {
  if (revoked.includes(sha256))
    return { ok: false, reason: `sha256:${sha256} is revoked (settings.ruleModules.revoked)` }
  const signedBy = signature !== null && isSigned(manifest, signature, trustedKeys) ? signature.keyId : null
  if (signedBy !== null || !requireSignature) return { ok: true, signedBy }
  const why = signature === null ? 'it is not signed' : `its signature is not by the trusted key '${signature.keyId}'`
  return { ok: false, reason: `${why}, and settings.ruleModules.requireSignature asks for that` }
}

/** Whether a trusted key of this name has signed exactly this manifest. */
export function isSigned(
  manifest: string,
  { keyId, signature }: NonNullable<ArtifactVersion['signature']>,
  trustedKeys: RuleModules['trustedKeys'],
): boolean {
  const trusted = Object.hasOwn(trustedKeys, keyId) ? trustedKeys[keyId] : undefined
  const key = trusted === undefined ? null : readPublicKey(trusted.publicKey)
  const bytes = Buffer.from(signature, 'base64')
  return key !== null && bytes.length === 64 && verify(null, Buffer.from(manifest), key, bytes)
}
