import type { Context, Middleware } from 'koa'
import type { Mutations } from '../../configuration/mutations.js'
import { removeIdentity } from '../../configuration/nouns/identities.js'
import { mustAuthorise } from '../../configuration/nouns/own-identities.js'
import { mayUse } from '../../domain/policy.js'
import type { Snapshot } from '../../domain/snapshot.js'
import type { Store } from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import type { SignedIn } from '../../identity/console-sessions.js'
import type { Standing } from '../../identity/enrolment.js'
import type { Browser } from '../pages/browser.js'
import { showStandings, takeEnrolment } from '../pages/enrol.js'
import { html } from '../pages/html.js'
import { showPage } from '../pages/page.js'
import type { Throttle } from '../pages/throttle.js'
import { actorOf } from '../../configuration/work.js'
import { methodOf } from './enrolment.js'
import type { Enrolments } from './enrolment.js'
import { seeOther } from '../pages/see-other.js'
import { decoded } from '../../domain/decode.js'

export interface IdentityPageOptions {
  readonly browser: Browser
  readonly enrolment: Enrolments
  readonly snapshot: () => Snapshot
  readonly store: Pick<Store, 'identities' | 'servers'>
  readonly mutations: Pick<Mutations, 'change' | 'rehearse'>
  readonly throttle: Throttle
}

/** What a page is about: one identity, with what its person may do there. */
interface Subject {
  readonly standing: Standing
  /** Set when it is not the person's own that is asked for. */
  readonly identityId: string | null
  readonly removable: string | null
}

const PATH = /^\/connect\/identity\/([^/]{1,200})(?:\/([^/]{1,200}))?\/?$/

/** Where a person gives, renews or takes back an identity, outside of any connecting: the links of errors lead here. */
export function createIdentityPage(options: IdentityPageOptions): Middleware {
  const { browser, enrolment, mutations, throttle } = options

  return async (ctx, next) => {
    const match = PATH.exec(ctx.path)
    if (match === null) return next()
    const signedIn = await browser.session(ctx)
    if (signedIn === null) return seeOther(ctx, `/auth/signin?to=${encodeURIComponent(ctx.path)}`)
    const names = match.slice(1).map((name) => (name === undefined ? undefined : decoded(name)))
    const subject = await subjectOf(options, signedIn, names)
    if (ctx.method === 'POST') return take(ctx, signedIn, subject)
    show(ctx, subject)
  }

  async function take(ctx: Context, signedIn: SignedIn, subject: Subject): Promise<void> {
    const form = await browser.readForm(ctx)
    await throttle(signedIn.user.id)
    const { standing, identityId, removable } = subject
    if (form.get('do') === 'remove' && removable !== null) {
      await mutations.change(actorOf(signedIn.user), (work) => removeIdentity(work, removable))
      return seeOther(ctx, ctx.path)
    }
    const begin: Enrolments['begin'] = (trip) => enrolment.begin(identityId === null ? trip : { ...trip, identityId })
    await takeEnrolment(ctx, form, {
      enrolment: { ...enrolment, begin },
      signedIn,
      standings: [standing],
      returnTo: ctx.path,
    })
  }

  function show(ctx: Context, { standing, identityId, removable }: Subject): void {
    const field = browser.formField(ctx)
    const whose = identityId === null ? 'Your' : 'The shared'
    showPage(ctx, {
      title: `Connect ${standing.server.title}`,
      body: html`<h1>${whose} access to ${standing.server.title}</h1>
        ${
          standing.state === 'ready' &&
          html`<p class="note ok" role="status">Connected. You can go back to your AI client.</p>`
        }
        ${showStandings([standing], { action: ctx.path, field, renews: true })}
        ${
          removable !== null &&
          html`<form method="post" action="${ctx.path}">
            ${field}<input type="hidden" name="do" value="remove" /><button>Remove this access</button>
          </form>`
        }
        <p class="hint">Gatehouse keeps it encrypted, and uses it for calls that are made in your name alone.</p>`,
    })
  }
}

async function subjectOf(
  options: IdentityPageOptions,
  signedIn: SignedIn,
  [first = '', second]: readonly (string | undefined)[],
): Promise<Subject> {
  return second === undefined ? ofIdentity(options, signedIn, first) : ofServer(options, signedIn, [first, second])
}

/** `/connect/identity/<gateway>/<server>`. What one may not reach is no other answer than what is not there. */
async function ofServer(
  options: IdentityPageOptions,
  signedIn: SignedIn,
  [gatewayName, serverName]: readonly [string, string],
): Promise<Subject> {
  const { enrolment, snapshot, store } = options
  const plan = snapshot().gateways.get(gatewayName)
  if (plan === undefined || !mayUse(signedIn.user, plan.gateway)) throw nothing()
  const assigned = plan.assignments.find(
    ({ prefix, server }) => prefix === serverName || server.slug === serverName || server.id === serverName,
  )
  if (assigned === undefined) throw nothing()
  const { assignment, identity, server } = assigned
  if (assignment.scheme.kind === 'shared' && identity !== null) return ofIdentity(options, signedIn, identity.id)
  const standing = (await enrolment.standing(signedIn.user.id, plan)).find((one) => one.server.id === server.id)
  if (standing === undefined) throw nothing()
  const own = (await store.identities.ofUser(signedIn.user.id)).find((one) => one.serverId === server.id)
  return { standing, identityId: null, removable: own !== undefined && own.managedBy !== 'file' ? own.id : null }
}

/** `/connect/identity/<identity>`: one that is lent to everyone, for whoever may authorise it; or one's own. */
async function ofIdentity(
  { store, mutations }: IdentityPageOptions,
  signedIn: SignedIn,
  reference: string,
): Promise<Subject> {
  const identity = await mutations
    .rehearse(actorOf(signedIn.user), (work) => mustAuthorise(work, reference))
    .catch((error: unknown) => {
      const isNot = error instanceof GatehouseError && error.code === 'GH_API_FORBIDDEN'
      throw isNot ? new GatehouseError('GH_API_FORBIDDEN', { message: SHARED }) : error
    })
  const server = await store.servers.find(identity.serverId)
  if (server === null) throw nothing()
  const isOff = !server.enabled || !identity.enabled
  const state = isOff ? 'disabled' : identity.status === 'ok' ? 'ready' : 'needs_reauth'
  const standing: Standing = { server, prefix: server.slug, state, ...methodOf(server) }
  if (identity.shared && standing.method === 'headers')
    throw new GatehouseError('GH_API_INVALID', {
      message: 'Give the header values of a shared identity in the console.',
    })
  return { standing, identityId: identity.shared ? identity.id : null, removable: null }
}

const SHARED = 'This server is called with one access for everybody. An administrator has to renew it: tell them.'

const nothing = () =>
  new GatehouseError('GH_API_NOT_FOUND', { message: 'There is no such server here for you. Ask your administrator.' })
