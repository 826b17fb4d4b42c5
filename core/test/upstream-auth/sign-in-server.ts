import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import type { Configuration } from 'oidc-provider'

/** A real authorization server, as an upstream server has one. Whoever comes is signed in as `person` and agrees. */
export interface SignInServer {
  readonly issuer: string
  person: string
  /** Answers the next token requests with this instead; null: as it should. */
  broken: { status: number; body: object } | null
  /** Called with each token request before it is answered; may hold it up. */
  onToken: (form: URLSearchParams) => unknown
  /** Told after a token request was answered. */
  readonly asked: { readonly grantType: string; readonly authorization: string | undefined; readonly status: number }[]
  readonly registered: { readonly body: Record<string, unknown> }[]
  /** Who a token is of, and what it may; null when it is none. */
  introspect(token: string): Promise<{ readonly sub: string; readonly scope: string; readonly aud: unknown } | null>
  revokeAll(token: string): Promise<void>
  stop(): Promise<void>
}

export interface SignInOptions {
  readonly registration?: boolean
  readonly cimd?: boolean
  /** What is found where a client's id leads. */
  readonly document?: () => object
  /** Seconds that an access token lives. */
  readonly ttl?: number
  readonly clients?: Configuration['clients']
  /** Scopes that are granted of those that are asked for. */
  readonly grants?: (asked: readonly string[]) => readonly string[]
  readonly scopes?: readonly string[]
}

export async function startSignInServer(options: SignInOptions = {}): Promise<SignInServer> {
  let handler: (req: IncomingMessage, res: ServerResponse) => void = () => undefined
  const http = createServer((req, res) => handler(req, res))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const provider = new Provider(issuer, configurationOf(options))
  provider.on('server_error', (_, error) => console.error('sign-in server:', error))
  const callback = provider.callback()
  const state: SignInServer = {
    issuer,
    person: 'mia',
    broken: null,
    onToken: () => undefined,
    asked: [],
    registered: [],
    async introspect(token) {
      const found = await provider.AccessToken.find(token)
      return found === undefined || found.isExpired
        ? null
        : { sub: found.accountId ?? '', scope: found.scope ?? '', aud: found.aud }
    },
    async revokeAll(token) {
      const found = await provider.AccessToken.find(token)
      await (found as unknown as { destroy(): Promise<void> } | undefined)?.destroy()
    },
    async stop() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
  handler = (req, res) => void answer(state, provider, callback, { req, res }, options)
  return state
}

async function answer(
  state: SignInServer,
  provider: Provider,
  callback: ReturnType<Provider['callback']>,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
  options: SignInOptions,
): Promise<void> {
  const path = req.url?.split('?')[0] ?? ''
  if (path.startsWith('/interaction/')) return agree(state, provider, { req, res }, options)
  if (req.method !== 'POST') return void callback(req, res)
  const text = await read(req)
  ;(req as IncomingMessage & { body?: unknown }).body = text
  if (path === '/reg') {
    state.registered.push({ body: JSON.parse(text) as Record<string, unknown> })
    ;(req as IncomingMessage & { body?: unknown }).body = JSON.parse(text)
  }
  if (path !== '/token') return void callback(req, res)
  const form = new URLSearchParams(text)
  await state.onToken(form)
  ;(req as IncomingMessage & { body?: unknown }).body = Object.fromEntries(form)
  const { authorization } = req.headers
  const grantType = form.get('grant_type') ?? ''
  res.once('finish', () => (state.asked as unknown[]).push({ grantType, authorization, status: res.statusCode }))
  if (state.broken === null) return void callback(req, res)
  res.writeHead(state.broken.status, { 'content-type': 'application/json' }).end(JSON.stringify(state.broken.body))
}

/** Sign-in and consent without a page. */
async function agree(
  state: SignInServer,
  provider: Provider,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
  options: SignInOptions,
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(req, res)
  if (prompt.name === 'login')
    return provider.interactionFinished(
      req,
      res,
      { login: { accountId: state.person } },
      { mergeWithLastSubmission: false },
    )
  const grant = new provider.Grant({
    accountId: session?.accountId ?? state.person,
    clientId: String(params['client_id']),
  })
  const asked = String(params['scope'] ?? '').split(' ')
  const given = options.grants?.(asked) ?? asked
  grant.addOIDCScope(given.join(' '))
  if (typeof params['resource'] === 'string') grant.addResourceScope(params['resource'], given.join(' '))
  const grantId = await grant.save()
  await provider.interactionFinished(req, res, { consent: { grantId } }, { mergeWithLastSubmission: true })
}

function configurationOf({
  registration = true,
  cimd = false,
  ttl = 3600,
  clients,
  scopes,
  document,
}: SignInOptions): Configuration {
  const all = [...(scopes ?? ['read', 'write']), 'offline_access', 'openid']
  return {
    clients: clients ?? [],
    ...(document === undefined ? {} : { fetch: async () => Response.json(document()) }),
    scopes: all,
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    issueRefreshToken: () => true,
    rotateRefreshToken: () => true,
    expiresWithSession: () => false,
    pkce: { required: () => true },
    ttl: { AccessToken: ttl, Interaction: 600, Session: 600, Grant: 86_400, RefreshToken: 86_400 },
    cookies: { keys: ['test'] },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: registration },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: all.join(' '),
          audience: resource,
          accessTokenFormat: 'opaque',
          accessTokenTTL: ttl,
        }),
      },
      ...(cimd ? { clientIdMetadataDocument: { enabled: true, ack: 'draft-02' } } : {}),
    } as NonNullable<Configuration['features']>,
  }
}

export async function read(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
