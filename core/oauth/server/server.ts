import type { IncomingMessage, ServerResponse } from 'node:http'
import type { InteractionResults, Provider } from 'oidc-provider'
import type { GrantRows } from '../../db/repositories/oauth-grants.js'
import type { ClientRows } from '../../db/repositories/oauth-clients.js'
import { type Asked, readAsked } from './asked.js'
import { JWT_BEARER } from './client-metadata.js'
import { assertionHandler, type Consent, createGrantBook, type GrantBook } from './grants.js'
import { type Happenings, watch } from './happenings.js'
import type { AssertionOptions } from './id-jag.js'
import { type KeyringOptions, loadKeys, type ServerKeys, turnKeys } from './keys.js'
import { createProvider, type ProviderOptions, SCOPES } from './provider.js'

export interface ServerOptions
  extends Omit<ProviderOptions, 'url' | 'keys' | 'grants'>, Omit<AssertionOptions, 'url' | 'snapshot'> {
  /** Known only once the port is. */
  readonly url: () => string
  readonly keyring: KeyringOptions
  readonly grants: GrantRows
  readonly clientRows: Pick<ClientRows, 'granted'>
  readonly happenings: Happenings
  readonly now?: () => number
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
  const book = createGrantBook(grants, clientRows)
  const provider = createCurrent(options, book, now)

  const finish = async ({ req, res }: At, result: InteractionResults) => {
    const current = await provider()
    await current.interactionFinished(req, res, result, { mergeWithLastSubmission: !('error' in result) })
  }

  return {
    handle: async (req, res) => {
      await (await provider()).callback()(req, res)
    },
    asked: async (req, res) => readAsked(await provider(), req, res),
    allows: (asked, consent) => book.allows(asked.client, consent),
    signIn: (at, userId) => finish(at, { login: { accountId: userId } }),
    async allow(at, asked, consent) {
      const granted = { ...consent, resource: asked.resource, scopes: SCOPES }
      const grantId = await book.write(await provider(), asked.client, granted)
      await finish(at, { consent: { grantId } })
    },
    deny: (at) => finish(at, { error: 'access_denied', error_description: 'the person said no' }),
    turnKeys: (how) => turnKeys(keyring, how).then(provider.forget),
  }
}

/** The library's server with the keys and features of now: it cannot change them, so it is made anew with others. */
function createCurrent(
  options: ServerOptions,
  book: GrantBook,
  now: () => number,
): (() => Promise<Provider>) & { forget(): void } {
  let made: { readonly keys: ServerKeys; readonly documents: boolean; readonly provider: Provider } | undefined
  const documents = () => options.snapshot().settings.clientDocuments
  let readAt = 0
  let reading: Promise<Provider> | undefined
  const read = async (): Promise<Provider> => {
    const keys = await loadKeys(options.keyring)
    readAt = now()
    const withDocuments = documents()
    if (made?.keys.version === keys.version && made.documents === withDocuments) return made.provider
    const provider = createProvider({ ...options, url: options.url(), keys })
    const handler = assertionHandler(book, { ...options, url: options.url() })
    provider.registerGrantType(JWT_BEARER, handler, ['assertion', 'scope', 'resource'])
    watch(provider, options.happenings)
    made = { keys, documents: withDocuments, provider }
    return provider
  }
  const current = async () => {
    if (made?.documents === documents() && now() - readAt < KEYS_MS) return made.provider
    reading ??= read().finally(() => (reading = undefined))
    return reading
  }
  return Object.assign(current, { forget: () => void (readAt = 0) })
}
