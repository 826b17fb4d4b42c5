import type { OAuthClientMetadata } from '@modelcontextprotocol/client'
import { isIP } from 'node:net'

export const CALLBACK_PATH = '/oauth/upstream/callback'
export const DOCUMENT_PATH = '/oauth/client.json'

const NAME = 'Gatehouse'

/** What we say of ourselves to every authorization server, whether we register or are looked up. */
export function ourMetadata(base: string): OAuthClientMetadata {
  return {
    client_name: NAME,
    client_uri: base,
    redirect_uris: [base + CALLBACK_PATH],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  }
}

/** Our client ID metadata document: the URL that it stands at is the client's id. */
export function ourDocument(base: string): object {
  return { client_id: base + DOCUMENT_PATH, ...ourMetadata(base), token_endpoint_auth_method: 'none' }
}

/** Whether others can look our document up: they must be able to reach us, and over https. */
export function isPublic(base: string): boolean {
  const { protocol, hostname } = new URL(base)
  if (protocol !== 'https:' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return false
  return hostname.includes('.') && !/\.(localhost|local|internal|lan|home|test|invalid|example)$/.test(hostname)
}
