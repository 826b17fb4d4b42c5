import { Client } from 'pg'
import { createHasher } from '../identity/password-hash.js'
import type { RunningGateway } from './gateway.js'
import { until } from './until.js'

/** A small browser: keeps cookies, follows redirects within the gateway, fills in forms. */
export interface TestBrowser {
  get(path: string): Promise<Shown>
  /** Opens the page, fills in its first form that has this action (any, unless given), and sends it. */
  submit(path: string, fields: Readonly<Record<string, string>>, action?: string): Promise<Shown>
  /** Sends a form as it is given, with nothing added. */
  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Shown>
  /** As the `cookie` header. */
  cookies(): string
  cookie(name: string): string | undefined
  setCookie(name: string, value: string): void
}

/** The page where it ended; `location` when the last answer leads out of the gateway. */
export interface Shown {
  readonly status: number
  readonly path: string
  readonly text: string
  readonly location: string | null
  readonly headers: Headers
}

const FORM = /<form[^>]*?action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g
const FIELD = /<(?:input|button)[^>]*?\bname="([^"]*)"[^>]*>/g

export function openBrowser(url: string): TestBrowser {
  const jar = new Map<string, string>()
  const cookies = () => [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const ask = async (path: string, init: RequestInit = {}): Promise<Shown> => {
    const headers = { cookie: cookies(), ...(init.headers as Record<string, string> | undefined) }
    const response = await fetch(new URL(path, url), { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0(;|$)/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    const location = response.headers.get('location')
    const target = location === null ? null : new URL(location, new URL(path, url))
    if (target !== null && target.origin === new URL(url).origin) return ask(target.pathname + target.search)
    return { status: response.status, path, text: await response.text(), location, headers: response.headers }
  }
  const post: TestBrowser['post'] = (path, fields, headers = {}) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(fields).toString(),
    })
  return {
    get: (path) => ask(path),
    post,
    submit: async (path, fields, action) => {
      const page = await ask(path)
      const forms = [...page.text.matchAll(FORM)]
      const [, target, inner] = forms.find((form) => action === undefined || form[1] === action) ?? []
      if (target === undefined || inner === undefined)
        throw new Error(`no form ${action ?? ''} at ${path} (${page.status}): ${page.text.slice(-600)}`)
      return post(target || page.path, { ...hiddenFields(inner), ...fields })
    },
    cookies,
    cookie: (name) => jar.get(name),
    setCookie: (name, value) => void jar.set(name, value),
  }
}

function hiddenFields(form: string): Record<string, string> {
  const hidden = [...form.matchAll(FIELD)].filter(([tag]) => tag.includes('type="hidden"'))
  return Object.fromEntries(hidden.map(([tag, name]) => [name, unescape(/\bvalue="([^"]*)"/.exec(tag)?.[1] ?? '')]))
}

const unescape = (text: string) =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')

export const PASSWORD = 'correct horse battery'
const cheap = createHasher({ log2N: 10, r: 8, p: 1 })

/** Gives a known person a password, past every page. The database must be one of the test server. */
export async function givePassword({ databaseUrl }: RunningGateway, email: string, password = PASSWORD): Promise<void> {
  if (databaseUrl === null) throw new Error('the database of this gateway cannot be reached')
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(
      `insert into passwords (user_id, hash) select id, $2 from users where email = $1
       on conflict (user_id) do update set hash = excluded.hash, failures = 0, locked_until = null`,
      [email, await cheap.hash(password)],
    )
  } finally {
    await client.end()
  }
}

/** A browser in which this person, who is made if need be, has signed in. */
export async function signedInBrowser(
  gateway: RunningGateway,
  email: string,
  person: { readonly role?: string } = {},
): Promise<TestBrowser> {
  const known = await gateway.api('GET', `/users/${email}`).catch(() => null)
  if (known === null) await gateway.api('POST', '/users', { email, ...person })
  await givePassword(gateway, email)
  const browser = openBrowser(gateway.url)
  const { path, text } = await browser.submit('/auth/signin', { email, password: PASSWORD }, '/auth/signin')
  if (path !== '/auth/account') throw new Error(`could not sign in: ${text.slice(-600)}`)
  return browser
}

/** Why people were turned away at a place such as `auth/signin`, oldest first, once all these reasons are among them. */
export async function refusalsAt(
  gateway: RunningGateway,
  method: string,
  wanted: readonly string[],
): Promise<readonly string[]> {
  let seen: readonly string[] = []
  return until(`refusals of ${method} are on record: ${wanted.join('; ')}`, async () => {
    const { items } = await gateway.api('GET', `/logs?method=${encodeURIComponent(method)}&failed=true&limit=500`)
    const rows = items as readonly { readonly log_type: string; readonly error: string | null }[]
    seen = rows.flatMap(({ log_type: type, error }) => (type === 'auth_refused' ? [error ?? ''] : [])).toReversed()
    return wanted.every((reason) => seen.includes(reason)) ? seen : undefined
  })
}
