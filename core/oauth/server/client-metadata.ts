import { errors } from 'oidc-provider'
import { stringsOf } from './client-names.js'
import { faultOf } from './redirects.js'

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** A property of ours: set only for clients that an administrator made, by where they are kept. */
export const OF_ADMIN = 'gh_admin'

const GRANTS = new Set(['authorization_code', 'refresh_token'])
/** What asks us to fetch something, or to prove or promise what no AI client needs. */
const DROPPED = [
  'scope',
  'jwks',
  'jwks_uri',
  'sector_identifier_uri',
  'subject_type',
  'default_max_age',
  'default_acr_values',
  'require_auth_time',
  'initiate_login_uri',
  'request_uris',
]

type Metadata = Record<string, unknown>

/**
 * Brings a client's metadata into what this server does: registered, found in a document, or stored. Runs before the library's
 * own checks, which would refuse clients for what they list and never use. Throws what the library throws.
 */
export function normalise(metadata: Metadata, schemes: readonly string[], isRegistering: boolean): void {
  const isDocument = /^https:/i.test(String(metadata['client_id'] ?? ''))
  if (isRegistering || isDocument) delete metadata[OF_ADMIN]
  const ofAdmin = metadata[OF_ADMIN] === true
  for (const name of DROPPED) delete metadata[name]
  const grants = stringsOf(metadata['grant_types'])
  const kept = grants.filter((grant) => GRANTS.has(grant) || (ofAdmin && grant === JWT_BEARER))
  const signsIn = kept.includes('authorization_code') || !ofAdmin
  metadata['grant_types'] = signsIn ? [...new Set(['authorization_code', ...kept])] : kept
  metadata['response_types'] = signsIn ? ['code'] : []
  metadata['id_token_signed_response_alg'] = 'ES256'
  const uris = metadata['redirect_uris'] ?? []
  if (!Array.isArray(uris)) throw new errors.InvalidClientMetadata('redirect_uris must be an array')
  const fault = faultOf(uris, schemes)
  if (fault !== null) throw new errors.InvalidClientMetadata(fault)
  // Loopback ports are ignored for native clients only, and every client with a loopback or private URI is one.
  const isNative = uris.some((uri) => !String(uri).startsWith('https:'))
  metadata['application_type'] = isNative ? 'native' : 'web'
}
