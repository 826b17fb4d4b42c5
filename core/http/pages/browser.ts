import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import { isLoopbackName } from '../../domain/loopback.js'
import { GatehouseError } from '../../errors.js'
import type { ConsoleSessions, SignedIn } from '../../identity/console-sessions.js'
import { readBody } from '../body.js'
import { html, type Html } from './html.js'

const MOST_BYTES = 64 * 1024
const WEEK_S = 7 * 24 * 3600
const FIELD = '_form'

export interface BrowserOptions {
  readonly sessions: ConsoleSessions
  /** The public base URL, without a trailing slash. */
  readonly url: () => string
}

/** A person's browser at a page of ours: who is signed in there, and that a form is one that we showed there. */
export interface Browser {
  /** Null when nobody is signed in, the session has ended, or the person is disabled. */
  session(ctx: Context): Promise<SignedIn | null>
  /** Signs in with a session of a new name; the one before it ends. */
  signIn(ctx: Context, userId: string, how: Omit<Parameters<ConsoleSessions['open']>[1], 'instead'>): Promise<void>
  signOut(ctx: Context): Promise<void>
  /** The hidden field that a form must carry. Call it before the page is sent: it may set a cookie. */
  formField(ctx: Context): Html
  /** Names this browser before anybody is signed in there; the same value until it is closed. */
  browserId(ctx: Context): string
  /** Whether the browser itself says that a page of ours sends this: for what carries no token of a form. */
  saysOurs(ctx: Context): boolean
  /**
   * The fields of a form that was shown in this browser, to whoever is signed in there now. Throws GH_PAGE_FORM for any other
   * (cross-site request forgery, RFC 6749 section 10.12), GH_DOOR_TOO_LARGE past 64 KiB.
   */
  readForm(ctx: Context): Promise<URLSearchParams>
}

/** Under https the names start with `__Host-`: no neighbouring host can set or read such a cookie. */
export function createBrowser({ sessions, url }: BrowserOptions): Browser {
  const isSecure = () => url().startsWith('https:')
  const named = (name: string) => (isSecure() ? `__Host-${name}` : name)
  const setCookie = (ctx: Context, name: string, value: string, maxAge: number | null) => {
    const age = maxAge === null ? '' : `; Max-Age=${maxAge}`
    // Lax: the way back from another site's sign-in must still bring it.
    ctx.append(
      'set-cookie',
      `${named(name)}=${value}; Path=/; HttpOnly; SameSite=Lax${isSecure() ? '; Secure' : ''}${age}`,
    )
    given(ctx)[name] = value
  }
  const cookie = (ctx: Context, name: string): string | undefined => {
    const set = given(ctx)[name]
    if (set !== undefined) return set === '' ? undefined : set
    const value = ctx.cookies.get(named(name))
    return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined
  }
  const secretOf = (ctx: Context) => cookie(ctx, 'gh_session')

  const browserId = (ctx: Context): string => {
    const known = cookie(ctx, 'gh_browser')
    if (known !== undefined) return known
    const made = randomBytes(32).toString('base64url')
    setCookie(ctx, 'gh_browser', made, null)
    return made
  }
  /** Only this browser knows its id, and each sign-in makes the tokens of before void. */
  const tokenOf = (id: string, ctx: Context): Buffer =>
    createHmac('sha256', id)
      .update(`form ${secretOf(ctx) ?? ''}`)
      .digest()

  return {
    session: (ctx) => sessions.of(secretOf(ctx)),
    browserId,
    async signIn(ctx, userId, how) {
      setCookie(ctx, 'gh_session', await sessions.open(userId, { ...how, instead: secretOf(ctx) }), WEEK_S)
    },
    async signOut(ctx) {
      const secret = secretOf(ctx)
      if (secret !== undefined) await sessions.end(secret)
      setCookie(ctx, 'gh_session', '', 0)
    },
    formField: (ctx) =>
      html`<input type="hidden" name="${FIELD}" value="${tokenOf(browserId(ctx), ctx).toString('base64url')}" />`,
    saysOurs: (ctx) => (ctx.get('sec-fetch-site') !== '' || ctx.get('origin') !== '') && isFromUs(ctx, url()),
    async readForm(ctx) {
      if (!isFromUs(ctx, url())) throw forged('it came from another site')
      if (!ctx.is('application/x-www-form-urlencoded')) throw new GatehouseError('GH_DOOR_MEDIA_TYPE')
      const form = new URLSearchParams((await readBody(ctx.req, MOST_BYTES)).toString('utf8'))
      const id = cookie(ctx, 'gh_browser')
      const sent = Buffer.from(form.get(FIELD) ?? '', 'base64url')
      if (id === undefined) throw forged('this browser has no form of ours: cookies must be allowed')
      const expected = tokenOf(id, ctx)
      if (sent.length !== expected.length || !timingSafeEqual(sent, expected)) throw forged('its token is not ours')
      form.delete(FIELD)
      return form
    },
  }
}

const forged = (detail: string) => new GatehouseError('GH_PAGE_FORM', { detail })

/** Browsers say where a form comes from; what says nothing is judged by its token alone. */
function isFromUs(ctx: Context, own: string): boolean {
  const site = ctx.get('sec-fetch-site')
  if (site !== '' && site !== 'same-origin') return false
  const origin = ctx.get('origin')
  return origin === '' || origin === new URL(own).origin || isSameLoopback(origin, ctx)
}

/** On this machine the same gateway has several names, and a person may have opened any of them. */
function isSameLoopback(origin: string, ctx: Context): boolean {
  const url = URL.canParse(origin) ? new URL(origin) : null
  return url !== null && url.host === ctx.host && isLoopbackName(url.hostname)
}

const given = (ctx: Context): Record<string, string> => (ctx.state['cookies'] ??= {}) as Record<string, string>

const PLACES = /^\/(?:oauth\/interaction|connect|console|auth)(?:\/|$)/

/** Where to go afterwards: a page of ours and nothing else, else `otherwise` (open redirects). */
export function ownPath(text: string | null | undefined, otherwise: string): string {
  if (!text || text.length > 2_048 || !text.startsWith('/')) return otherwise
  const base = 'http://own.invalid'
  const url = URL.canParse(text, base) ? new URL(text, base) : null
  if (url === null || url.origin !== base || !PLACES.test(url.pathname)) return otherwise
  return url.pathname + url.search
}
