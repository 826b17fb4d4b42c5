import { createHash, randomBytes } from 'node:crypto'
import type { Page, TestBrowser } from './test-browser.js'

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
  readonly expires_in: number
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any
}

export interface ClientShape {
  readonly metadata: Readonly<Record<string, unknown>>
  /** Where it really listens; the first registered unless told. */
  readonly redirectUri?: string
  /** Added to the authorization request; null leaves out what is usually there. */
  readonly authorize?: Readonly<Record<string, string | null>>
  /** A document instead of a registration. */
  readonly clientId?: string
}

export const PUBLIC = {
  client_name: 'Tester',
  redirect_uris: ['http://127.0.0.1:7777/callback'],
  token_endpoint_auth_method: 'none',
}

/** What an AI client does, request by request, without a library: so that each can be bent. */
export function createAiClient(base: string, shape: ClientShape = { metadata: PUBLIC }) {
  const redirectUri = shape.redirectUri ?? (shape.metadata['redirect_uris'] as string[])[0] ?? ''
  let id = shape.clientId ?? ''
  let secret: string | undefined

  const form = async (path: string, fields: Readonly<Record<string, string>>, headers = {}): Promise<Answered> => {
    const response = await fetch(`${base}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(secret === undefined ? {} : { authorization: `Basic ${btoa(`${id}:${secret}`)}` }),
        ...headers,
      },
      body: new URLSearchParams(secret === undefined ? { client_id: id, ...fields } : { ...fields }),
    })
    return answered(response)
  }

  const client = {
    get id() {
      return id
    },
    redirectUri,
    async register(): Promise<Answered> {
      const answer = await register(base, shape.metadata)
      if (answer.status === 201) {
        id = answer.json.client_id
        secret = answer.json.client_secret
      }
      return answer
    },
    /** An authorization request with its own secrets. */
    begin(resource: string | null, more: Readonly<Record<string, string | null>> = {}) {
      const verifier = randomBytes(32).toString('base64url')
      const state = randomBytes(8).toString('hex')
      const params = {
        response_type: 'code',
        client_id: id,
        redirect_uri: redirectUri,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        state,
        resource,
        ...shape.authorize,
        ...more,
      }
      const given = Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== null)
      return { url: `${base}/oauth/authorize?${new URLSearchParams(given)}`, verifier, state, resource }
    },
    /** The code for tokens. */
    exchange: (code: string, verifier: string, more: Readonly<Record<string, string>> = {}) =>
      form('/oauth/token', {
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: redirectUri,
        ...more,
      }),
    refresh: (token: string, more: Readonly<Record<string, string>> = {}) =>
      form('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, ...more }),
    revoke: (token: string) => form('/oauth/revoke', { token }),
    form,
    /** The whole way, with a person who allows it. */
    async connect(browser: TestBrowser, resource: string | null): Promise<Tokens> {
      if (id === '') await client.register()
      const { url, verifier } = client.begin(resource)
      const code = codeIn(await allow(browser, await browser.get(url)))
      const answer = await client.exchange(code, verifier, resource === null ? {} : { resource })
      if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${JSON.stringify(answer.json)}`)
      return answer.json as Tokens
    },
  }
  return client
}

export type AiClient = ReturnType<typeof createAiClient>

export async function register(base: string, metadata: Readonly<Record<string, unknown>>): Promise<Answered> {
  const response = await fetch(`${base}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  })
  return answered(response)
}

async function answered(response: Response): Promise<Answered> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') ?? false
  return { status: response.status, headers: response.headers, json: isJson ? JSON.parse(text) : text }
}

/** Presses on until the browser leaves for the client. */
export async function allow(browser: TestBrowser, page: Page, gateway?: string): Promise<Page> {
  if (/>\s*Continue\s*</.test(page.text)) {
    const chosen = await browser.press(page, 'Continue', gateway === undefined ? {} : { gateway })
    return allow(browser, chosen)
  }
  const button = /<button[^>]*value="allow"[^>]*>([^<]*)</.exec(page.text)?.[1]?.trim()
  if (button === undefined) throw new Error(`nothing to allow at ${page.url} (${page.status}): ${page.text}`)
  return browser.press(page, button)
}

export function codeIn({ leftFor, text, status }: Page): string {
  const code = leftFor?.searchParams.get('code')
  if (!code) throw new Error(`no code: ${leftFor?.href ?? `${status} ${text}`}`)
  return code
}
