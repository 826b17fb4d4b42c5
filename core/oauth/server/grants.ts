import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import type { ClientRows } from '../../db/repositories/oauth-clients.js'
import type { GrantRows } from '../../db/repositories/oauth-grants.js'
import { hashSecret } from '../../identity/tokens.js'
import { clientKey, clientName, slugOf } from './client-names.js'
import { type AssertionOptions, readAssertion } from './id-jag.js'
import { audienceOf } from './resources.js'

/** What a client may do in whose name. */
export interface Consent {
  readonly userId: string
  readonly gatewayId: string
  /** The person chose the gateway: its URL named none. */
  readonly picker: boolean
}

export interface Consenting {
  readonly id: string
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface GrantBook {
  /** Whether host and connection that a consent would use are enabled; what is not there yet is. */
  allows(client: Consenting, consent: Consent): Promise<boolean>
  /** Makes the grant, with host and connection where they are missing; answers its name. */
  write(provider: Provider, client: Consenting, consent: Granting): Promise<string>
}

interface Granting extends Consent {
  /** As the client spelled it. */
  readonly resource: string
  readonly scopes: readonly string[]
  /** Seconds, when it is not to last as long as grants do. */
  readonly expiresIn?: number
}

export function createGrantBook(grants: GrantRows, clients: Pick<ClientRows, 'granted'>): GrantBook {
  return {
    async allows({ metadata }, { gatewayId, userId }) {
      const key = clientKey(metadata)
      const host = await grants.hostOf(key)
      if (host?.enabled === false) return false
      const connection = await grants.connectionOf({ clientKey: key, gatewayId, userId })
      return connection?.enabled !== false
    },
    async write({ Grant }, { id, metadata }, { userId, gatewayId, picker, resource, scopes, expiresIn }) {
      const lasting = expiresIn === undefined ? {} : { expiresIn }
      const grant = new Grant({ accountId: userId, clientId: id, ...lasting } as never)
      // What stands in `scopes` counts as a scope of the server itself as well: without both the person is asked for ever.
      grant.addOIDCScope(scopes.join(' '))
      grant.addResourceScope(resource, 'mcp')
      const grantId = await grant.save()
      const title = clientName(metadata['client_name'])
      const link = { clientKey: clientKey(metadata), clientId: id, gatewayId, userId, picker }
      await grants.connect({ ...link, title, slug: slugOf(title), grantHash: hashSecret(grantId) })
      await clients.granted(id)
      return grantId
    },
  }
}

/** Seconds. There is no refresh: the identity provider is asked anew. */
const VOUCHED_TTL = 600

/** The grant type of identity assertions: a token without a browser, for whom an identity provider vouches. */
export function assertionHandler(book: GrantBook, options: AssertionOptions) {
  return async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { provider, client } = ctx.oidc
    const { user, gateway, resource } = await readAssertion(ctx, options)
    const own: Consenting = { id: client!.clientId, metadata: client!.metadata() }
    const consent = { userId: user.id, gatewayId: gateway.id, picker: false }
    if (!(await book.allows(own, consent))) throw new errors.InvalidGrant('assertion: host or connection is disabled')
    const grantId = await book.write(provider, own, { ...consent, resource, scopes: ['mcp'], expiresIn: VOUCHED_TTL })
    const token = new provider.AccessToken({
      accountId: user.id,
      client: client!,
      grantId,
      gty: 'jwt-bearer',
      expiresIn: VOUCHED_TTL,
      scope: 'mcp',
    } as never)
    token.setAudience(audienceOf({ kind: 'gateway', gateway }, options.url))
    ctx.oidc.entity('AccessToken', token)
    ctx.body = {
      access_token: await token.save(),
      token_type: 'Bearer',
      expires_in: VOUCHED_TTL,
      scope: 'mcp',
    }
  }
}
