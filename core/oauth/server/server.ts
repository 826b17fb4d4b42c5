import type { IncomingMessage, ServerResponse } from 'node:http'
import type { InteractionResults, Provider } from 'oidc-provider'
import { hashSecret } from '../../identity/tokens.js'
import type { GrantRows } from '../../db/repositories/oauth-grants.js'
import type { ClientRows } from '../../db/repositories/oauth-clients.js'
import { type Asked, readAsked } from './asked.js'
import { clientKey, slugOf } from './client-names.js'
import { type Happenings, watch } from './happenings.js'
import { type KeyringOptions, loadKeys, type ServerKeys, turnKeys } from './keys.js'
import { createProvider, type ProviderOptions, SCOPES } from './provider.js'

export interface ServerOptions extends Omit<ProviderOptions, 'url' | 'keys' | 'grants'> {
  /** Known only once the port is. */
  readonly url: () => string
  readonly keyring: KeyringOptions
  readonly grants: GrantRows
  readonly clientRows: Pick<ClientRows, 'granted'>
  readonly happenings: Happenings
  readonly now?: () => number
}

/** What a person decided: the gateway that the client may use in their name. */
export interface Consent {
  readonly userId: string
  readonly gatewayId: string
  readonly picker: boolean
}

/** The authorization server for AI clients. */
export interface AuthorizationServer {
  /** Serves a request of its own endpoints. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>
  asked(req: IncomingMessage, res: ServerResponse): Promise<Asked>
  /** Whether host and connection that a consent would use are enabled; what is not there yet is. */
  allows(asked: Asked, consent: Consent): Promise<boolean>
  /** Each answers and sends the browser on. */
  signIn(at: At, userId: string): Promise<void>
  allow(at: At, asked: Asked, consent: Consent): Promise<void>
  deny(at: At): Promise<void>
  /** A step of the rotation of keys, when it is due; `hurry`: now. */
  turnKeys(options?: { readonly hurry?: boolean }): Promise<void>
}

export interface At {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** How long keys are believed: another replica may have taken the next step. A key is announced for a day before it is used. */
const KEYS_MS = 60_000

export function createAuthorizationServer(options: ServerOptions): AuthorizationServer {
  const { grants, clientRows, keyring, now = Date.now } = options
  const provider = createCurrent(options, now)

  const finish = async ({ req, res }: At, result: InteractionResults) => {
    const current = await provider()
    await current.interactionFinished(req, res, result, { mergeWithLastSubmission: !('error' in result) })
  }

  return {
    handle: async (req, res) => {
      await (await provider()).callback()(req, res)
    },
    asked: async (req, res) => readAsked(await provider(), req, res),
    async allows(asked, { gatewayId, userId }) {
      const key = clientKey(asked.client.metadata)
      const host = await grants.hostOf(key)
      if (host?.enabled === false) return false
      const connection = await grants.connectionOf({ clientKey: key, gatewayId, userId })
      return connection?.enabled !== false
    },
    signIn: (at, userId) => finish(at, { login: { accountId: userId } }),
    async allow(at, asked, { userId, gatewayId, picker }) {
      const { Grant } = await provider()
      const grant = new Grant({ accountId: userId, clientId: asked.client.id })
      // What stands in `scopes` counts as a scope of the server itself as well: without both the person is asked for ever.
      grant.addOIDCScope(SCOPES.join(' '))
      grant.addResourceScope(asked.resource, 'mcp')
      const grantId = await grant.save()
      const { name, metadata, id } = asked.client
      const key = clientKey(metadata)
      const link = { clientKey: key, gatewayId, userId, picker, title: name, slug: slugOf(name) }
      await grants.connect({ ...link, grantHash: hashSecret(grantId) })
      await clientRows.granted(id)
      await finish(at, { consent: { grantId } })
    },
    deny: (at) => finish(at, { error: 'access_denied', error_description: 'the person said no' }),
    turnKeys: (how) => turnKeys(keyring, how),
  }
}

/** The library's server with the keys of now: it cannot change those that sign, so it is made anew with them. */
function createCurrent(options: ServerOptions, now: () => number): () => Promise<Provider> {
  let made: { readonly keys: ServerKeys; readonly provider: Provider } | undefined
  let readAt = 0
  let reading: Promise<Provider> | undefined
  const read = async (): Promise<Provider> => {
    const keys = await loadKeys(options.keyring)
    readAt = now()
    if (made?.keys.version === keys.version) return made.provider
    const provider = createProvider({ ...options, url: options.url(), keys })
    watch(provider, options.happenings)
    made = { keys, provider }
    return provider
  }
  return async () => {
    if (made !== undefined && now() - readAt < KEYS_MS) return made.provider
    reading ??= read().finally(() => (reading = undefined))
    return reading
  }
}
