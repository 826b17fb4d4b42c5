import { discover, readChallenge } from '../../oauth/client/discover.js'
import { CALLBACK_PATH, isPublic } from '../../oauth/client/our-client.js'
import type { Probed } from '../../upstream/probe.js'

/** What a server that is to be added wants of us. */
export const DETECTED = [
  'open',
  'oauth_cimd',
  'oauth_dcr',
  'oauth_preregistered',
  'header_token',
  'unsupported_transport',
  'unreachable',
] as const

export interface Detection {
  readonly detected: (typeof DETECTED)[number]
  /** The authorization server, where there is one. */
  readonly issuer: string | null
  /** What to do next, for whoever adds the server. */
  readonly next: string
}

export interface DetectOptions {
  /** Throws GH_EGRESS_REFUSED for an address that the gateway may not call. */
  readonly check: (url: string) => Promise<void>
  readonly probe: (url: string) => Promise<Probed>
  readonly fetch: typeof globalThis.fetch
  /** Our public URL, without a trailing slash. */
  readonly base: () => string
}

/** Calls a server without a credential, and follows where its refusal leads. Keeps nothing. */
export function createDetect({ check, probe, fetch, base }: DetectOptions): (url: string) => Promise<Detection> {
  return async (url) => {
    await check(url)
    const probed = await probe(url)
    switch (probed.kind) {
      case 'open':
        return found('open', 'It takes calls without a credential: add it with `auth: none`.')
      case 'unsupported':
        return found('unsupported_transport', `It is no MCP server over HTTP that we can speak to: ${probed.reason}.`)
      case 'unreachable':
        return found('unreachable', `${probed.reason}. Check the URL, and whether the gateway may reach it.`)
      case 'refused':
        return signInOf(url, probed.challenge)
    }
  }

  async function signInOf(url: string, challenge: string | null): Promise<Detection> {
    const discovery = await discover(url, readChallenge(challenge), fetch).catch(() => null)
    const metadata = discovery?.authorizationServerMetadata
    if (metadata === undefined) return found('header_token', HEADERS)
    const { issuer } = metadata
    const looksUp =
      'client_id_metadata_document_supported' in metadata && metadata.client_id_metadata_document_supported
    if (looksUp === true && isPublic(base())) return found('oauth_cimd', AUTOMATIC, issuer)
    if (metadata.registration_endpoint !== undefined) return found('oauth_dcr', AUTOMATIC, issuer)
    return found(
      'oauth_preregistered',
      `Register an application at ${issuer} with the callback ${base()}${CALLBACK_PATH}, and add the server with ` +
        '`auth: { oauth: { clientId, clientSecret } }`.',
      issuer,
    )
  }
}

const AUTOMATIC =
  'Add it with `auth: oauth`; the first person to connect signs in there, and nothing has to be registered.'
const HEADERS =
  'It wants a credential and names no sign-in of its own: add it with `auth: { headers: { <name>: <value> } }` for one ' +
  'credential for all, or with `auth: { headers: [<name>] }` for one of each person.'

const found = (detected: Detection['detected'], next: string, issuer: string | null = null): Detection => ({
  detected,
  issuer,
  next,
})
