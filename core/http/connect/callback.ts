import type { Context, Middleware } from 'koa'
import type { Mutations } from '../../configuration/mutations.js'
import { keepGrant } from '../../configuration/nouns/own-identities.js'
import type { Identity } from '../../domain/nouns.js'
import type { Store } from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import type { OneTime } from '../../identity/one-time.js'
import { CALLBACK_PATH, DOCUMENT_PATH, ourDocument } from '../../oauth/client/our-client.js'
import type { SignIn, StoredTrip } from '../../oauth/client/sign-in.js'
import { writeTokens } from '../../oauth/client/tokens.js'
import type { Refused } from '../../record/refusals.js'
import { ownPath } from '../pages/browser.js'
import type { Browser } from '../pages/browser.js'
import { html } from '../pages/html.js'
import { showPage } from '../pages/page.js'
import { disabled } from '../../upstream/errands.js'
import { actorOf } from '../../configuration/work.js'
import { seeOther } from '../pages/see-other.js'

export interface CallbackOptions {
  readonly browser: Pick<Browser, 'session'>
  readonly trips: Pick<OneTime<StoredTrip>, 'peek' | 'take'>
  readonly signIn: Pick<SignIn, 'finish'>
  readonly store: Pick<Store, 'servers'>
  readonly mutations: Pick<Mutations, 'change'>
  readonly refused: Refused
  readonly addressOf: (ctx: Context) => string | null
  /** Told when an identity was given or renewed. */
  readonly onAuthorised: (identity: Identity) => void
}

/** Where all upstream sign-ins send browsers back to. */
export function createCallback(options: CallbackOptions): Middleware {
  const { browser, trips, signIn, store, mutations } = options

  return async (ctx, next) => {
    if (ctx.path !== CALLBACK_PATH || ctx.method !== 'GET') return next()
    const state = textOf(ctx.query['state'])
    const trip = state === null ? null : await trips.peek(state)
    if (state === null || trip === null) throw await refuse(ctx, 400, 'state unknown, spent or expired', UNKNOWN)
    const session = await browser.session(ctx)
    // Before the state is spent: a stranger's visit must not end the trip of its owner.
    if (session === null || session.user.id !== trip.userId || session.sessionHash !== trip.sessionHash)
      throw await refuse(ctx, 403, 'not the session that began the sign-in', STRANGER)
    const server = await store.servers.find(trip.serverId)
    if ((await trips.take(state)) === null || server === null)
      throw await refuse(ctx, 400, 'state spent meanwhile', UNKNOWN)
    if (!server.enabled) throw disabled(server.slug)
    const back = ownPath(trip.returnTo, '/auth/account')
    const code = textOf(ctx.query['code'])
    // RFC 9207: who sent the error is not known for sure, so nothing of it is shown.
    if (code === null) return showDenied(ctx, server.title, back)
    const { tokens, ...given } = await signIn.finish(trip, server, { code, iss: textOf(ctx.query['iss']) ?? undefined })
    const grant = { ...given, clientId: tokens.client.client_id, tokens: writeTokens(tokens) }
    const { serverId, serverUrl, identityId } = trip
    options.onAuthorised(
      await mutations.change(actorOf(session.user), (work) =>
        keepGrant(work, { serverId, serverUrl, identityId, grant }),
      ),
    )
    seeOther(ctx, back)
  }

  async function refuse(ctx: Context, status: 400 | 403, reason: string, message: string): Promise<GatehouseError> {
    const about = { method: 'oauth/upstream/callback', reason, httpStatus: status, ip: options.addressOf(ctx) }
    // What answers 403 is put on record where every page's is.
    if (status === 400) await options.refused({ ...about, userAgent: ctx.get('user-agent') || null })
    return new GatehouseError(status === 400 ? 'GH_API_INVALID' : 'GH_API_FORBIDDEN', { message, detail: reason })
  }
}

const UNKNOWN = 'This sign-in is not one that was begun here, or it took too long. Begin it again.'
const STRANGER = 'This sign-in was begun in another session or by somebody else. Sign in here and begin it again.'

function showDenied(ctx: Context, title: string, back: string): void {
  showPage(ctx, {
    title: 'Not connected',
    body: html`<h1>${title} is not connected</h1>
      <p>Its sign-in gave no access. Nothing was changed.</p>
      <p><a class="button main" href="${back}">Go back</a></p>`,
  })
}

const textOf = (value: string | string[] | undefined): string | null =>
  typeof value === 'string' && value !== '' && value.length <= 4_096 ? value : null

/** Our client ID metadata document, for authorization servers that look clients up instead of registering them. */
export function createClientDocument(base: () => string): Middleware {
  return (ctx, next) => {
    if (ctx.path !== DOCUMENT_PATH || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next()
    ctx.set('cache-control', 'public, max-age=3600')
    ctx.body = ourDocument(base())
  }
}
