import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'
import { type Configuration, Provider } from 'oidc-provider'

/** What the provider says of a person. */
export interface PersonThere {
  readonly email?: string
  readonly email_verified?: boolean | string
  readonly name?: string
  readonly groups?: readonly string[]
  readonly [claim: string]: unknown
}

/** A real OpenID provider on loopback, with one client: the gateway. Whoever types a name is signed in as that subject. */
export interface TestProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** By subject; what is set here is told at the next sign-in. */
  readonly people: Map<string, PersonThere>
  /** Its one client needs no secret from now on. */
  asPublicClient(): Promise<void>
  /** Signs with new keys from now on; the old ones are gone. */
  rotate(): Promise<void>
  /** A logout token, as the provider would sign it; what is given is changed or, when undefined, left out. */
  logoutToken(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>
  /** How often something was asked at this path. */
  asked(path: string): number
  /** Nobody answers until it is `back`. */
  away(): Promise<void>
  back(): Promise<void>
  stop(): Promise<void>
}

export interface ProviderOptions {
  /** Where the gateway is. */
  readonly gateway: string
  readonly clientId?: string
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

export async function startProvider({ gateway, clientId = 'gateway' }: ProviderOptions): Promise<TestProvider> {
  const people = new Map<string, PersonThere>()
  const clientSecret = randomBytes(24).toString('base64url')
  const counts = new Map<string, number>()
  let signing = await newKey()
  let isPublic = false
  let handle: (req: IncomingMessage, res: ServerResponse) => unknown = () => undefined
  const server = createServer((req, res) => {
    const path = (req.url ?? '').split('?')[0] ?? ''
    counts.set(path, (counts.get(path) ?? 0) + 1)
    void handle(req, res)
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const build = () => {
    const provider = new Provider(
      issuer,
      configurationOf({ people, gateway, clientId, clientSecret: isPublic ? null : clientSecret, key: signing.jwk }),
    )
    const callback = provider.callback()
    handle = (req, res) =>
      req.url?.startsWith('/interaction/')
        ? interact(provider, req, res).catch(() => res.destroy())
        : callback(req, res)
  }
  build()
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    issuer,
    clientId,
    clientSecret,
    people,
    async asPublicClient() {
      isPublic = true
      build()
    },
    async rotate() {
      signing = await newKey()
      build()
    },
    logoutToken: (claims, header = {}) => {
      const now = Math.floor(Date.now() / 1000)
      const jti = randomBytes(8).toString('hex')
      const full = { iss: issuer, aud: clientId, iat: now, exp: now + 120, jti, events: { [EVENT]: {} }, ...claims }
      const given = Object.fromEntries(Object.entries(full).filter(([, value]) => value !== undefined))
      const protectedHeader = { alg: 'RS256', kid: signing.jwk.kid ?? '', typ: 'logout+jwt', ...header }
      return new SignJWT(given).setProtectedHeader(protectedHeader).sign(signing.privateKey)
    },
    asked: (path) => counts.get(path) ?? 0,
    away: close,
    back: () => listen(port),
    stop: close,
  }
}

async function newKey(): Promise<{
  readonly jwk: JWK
  readonly privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey']
}> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = randomBytes(6).toString('hex')
  return { privateKey, jwk: { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' } }
}

interface Facts {
  readonly people: Map<string, PersonThere>
  readonly gateway: string
  readonly clientId: string
  /** Null: a public client. */
  readonly clientSecret: string | null
  readonly key: JWK
}

function configurationOf({ people, gateway, clientId, clientSecret, key }: Facts): Configuration {
  return {
    jwks: { keys: [key as never] },
    cookies: { keys: ['test'] },
    conformIdTokenClaims: false,
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'groups', '_claim_names'],
    },
    clients: [
      {
        client_id: clientId,
        ...(clientSecret === null ? { token_endpoint_auth_method: 'none' as const } : { client_secret: clientSecret }),
        redirect_uris: [`${gateway}/auth/sso/callback`],
        post_logout_redirect_uris: [`${gateway}/auth/signin`],
        backchannel_logout_uri: `${gateway}/auth/sso/backchannel`,
        backchannel_logout_session_required: true,
      },
    ],
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    pkce: { required: () => true },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, ...people.get(sub) }) as never,
    }),
    // Consent is not what is tested here.
    async loadExistingGrant(ctx) {
      const { client, session, provider } = ctx.oidc
      const grant = new provider.Grant({ clientId: client?.clientId, accountId: session?.accountId } as never)
      grant.addOIDCScope('openid email profile groups')
      await grant.save()
      return grant
    },
    // Its own guard would refuse the gateway on loopback.
    fetch: (url: string | URL | Request, options?: object) => {
      const { dispatcher: _, ...rest } = (options ?? {}) as Record<string, unknown>
      return fetch(url as string, rest)
    },
    ttl: { Session: 3600, Grant: 3600, Interaction: 600, IdToken: 600, AccessToken: 600 },
  } as Configuration
}

/** One page: who are you? */
async function interact(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method !== 'POST') {
    res.setHeader('content-type', 'text/html')
    const { params } = await provider.interactionDetails(req, res)
    const hint = String(params['login_hint'] ?? '').replaceAll(/[^\w@.+-]/g, '')
    res.end(
      `<form action="${req.url}" method="post"><input name="login" value="${hint}"><button name="go">Go</button></form>`,
    )
    return
  }
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  const login = new URLSearchParams(Buffer.concat(chunks).toString()).get('login') ?? ''
  const result =
    login === 'nobody' ? { error: 'access_denied', error_description: 'not today' } : { login: { accountId: login } }
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false })
}
