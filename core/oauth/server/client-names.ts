import { createHash } from 'node:crypto'
import { placesOf, withoutPort } from './redirects.js'

const sha256 = (parts: readonly unknown[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex')
// Control characters, and marks that turn the direction of the text around them.
// oxlint-disable-next-line no-control-regex
const INVISIBLE = /[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g

/** What a client calls itself, fit to be shown: one line, bounded, without what each install adds (`Claude Code (work)`). */
export function clientName(given: unknown): string {
  const text = typeof given === 'string' ? given : ''
  const plain = text.replace(/\s+/g, ' ').replace(INVISIBLE, '').trim()
  return plain.replace(/\s*\([^()]*\)$/, '').slice(0, 100) || 'Unnamed client'
}

interface Named {
  readonly client_name?: unknown
  readonly client_uri?: unknown
  readonly redirect_uris?: unknown
  readonly grant_types?: unknown
}

/**
 * The id of a public client that registers by itself: the same for every install of one client, whatever port it listens at. A
 * hundred registrations are one row. It stands for no secret: whoever knows it can only send people to the same places. All of
 * the metadata that counts is in it, since the first registration is kept for those that follow.
 */
export function publicClientId({ client_name, client_uri, redirect_uris, grant_types }: Named): string {
  const uris = stringsOf(redirect_uris).map(withoutPort).toSorted()
  const refreshes = grant_types === undefined || stringsOf(grant_types).includes('refresh_token')
  const whole = [clientName(client_name), client_uri ?? null, [...new Set(uris)], ...(refreshes ? [] : ['once'])]
  return `dcr_${sha256(whole).slice(0, 43)}`
}

/** What installs of one client have in common: its name, and the places that it sends people back to. Lower-case hex. */
export function clientKey({ client_name, redirect_uris }: Named): string {
  return sha256([clientName(client_name), placesOf(stringsOf(redirect_uris).filter((uri) => URL.canParse(uri)))])
}

export function slugOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 50)
    .replace(/-+$/, '')
  return plain || 'client'
}

export const stringsOf = (given: unknown): string[] =>
  Array.isArray(given) ? given.filter((one): one is string => typeof one === 'string') : []
