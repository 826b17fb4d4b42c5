import type { Context, Middleware } from 'koa'
import { z } from 'zod'
import { enrolToken, mustBeOpen, mustEnrol, revokeEnrolled } from '../../configuration/nouns/enrolled-tokens.js'
import type { Mutations } from '../../configuration/mutations.js'
import type { Gateway, Host } from '../../domain/nouns.js'
import { mayUse } from '../../domain/policy.js'
import type { GatewayPlan, Snapshot } from '../../domain/snapshot.js'
import type { Store } from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import type { SignedIn } from '../../identity/console-sessions.js'
import type { Enrolment } from '../../identity/enrolment.js'
import type { OneTime } from '../../identity/one-time.js'
import type { Browser } from '../pages/browser.js'
import { takeEnrolment } from '../pages/enrol.js'
import type { Html } from '../pages/html.js'
import { showPage } from '../pages/page.js'
import type { Throttle } from '../pages/throttle.js'
import { actorOf } from '../../configuration/work.js'
import { choosePage, type Connected, mintedPage, mintPage } from './host-pages.js'
import { gatewaysOf } from '../pages/gateways.js'
import { seeOther } from '../pages/see-other.js'

export interface HostFlowOptions {
  readonly store: Store
  readonly mutations: Pick<Mutations, 'change'>
  readonly browser: Browser
  readonly enrolment: Enrolment
  readonly snapshot: () => Snapshot
  /** What makes each form that mints good for one token. */
  readonly once: OneTime<string>
  readonly throttle: Throttle
  /** The public base URL, without a trailing slash. */
  readonly url: () => string
}

const PATH = /^\/connect\/host\/([a-z0-9][a-z0-9-]{0,62})$/
const HALF_HOUR_MS = 1_800_000
const DAY_MS = 86_400_000
/** Nobody reads more of their own connections of one host. */
const MOST = 100

/** How a person gives a token host a token that stands for them: the link is the same for everyone. */
export function createHostFlow(options: HostFlowOptions): Middleware {
  return async (ctx, next) => {
    const slug = PATH.exec(ctx.path)?.[1]
    if (slug === undefined || !['GET', 'HEAD', 'POST'].includes(ctx.method)) return next()
    const here = await options.browser.session(ctx)
    if (here === null) return ctx.redirect(`/auth/signin?to=${encodeURIComponent(ctx.path + ctx.search)}`)
    mustEnrol({ actor: actorOf(here.user) })
    const visit = { ctx, here, options, host: await mustBeOpen({ store: options.store }, slug) }
    if (ctx.method === 'POST') return act(visit)
    const plan = planOf(visit)
    return plan === null ? choose(visit) : offer(visit, plan)
  }
}

interface Visit {
  readonly ctx: Context
  readonly here: SignedIn
  readonly host: Host
  readonly options: HostFlowOptions
}

const show = ({ ctx, host }: Visit, body: Html) => showPage(ctx, { title: `A token for ${host.title}`, body })
const topOf = ({ host, here }: Visit) => ({ host, email: here.user.email })
const pathTo = ({ host }: Visit, { slug }: Gateway) => `/connect/host/${host.slug}?gateway=${slug}`

/** The gateway that the page is about; null: none was chosen. One that is not theirs is as good as absent. */
function planOf({ ctx, here, options }: Visit): GatewayPlan | null {
  const named = ctx.query['gateway']
  if (typeof named !== 'string') return null
  const plan = options.snapshot().gateways.get(named)
  if (plan !== undefined && plan.gateway.enabled && mayUse(here.user, plan.gateway)) return plan
  throw new GatehouseError('GH_PERMIT_REFUSED', {
    message: 'This gateway is not available to you. Ask an administrator to make it available to a team of yours.',
  })
}

async function choose(visit: Visit): Promise<void> {
  const { ctx, here, options } = visit
  const body = choosePage({
    ...topOf(visit),
    gateways: gatewaysOf(here.user, options.snapshot()),
    connections: await connectionsOf(visit),
    field: options.browser.formField(ctx),
  })
  show(visit, body)
}

/** With the tokens that are not revoked. */
async function connectionsOf({ here, host, options: { store, snapshot } }: Visit): Promise<Connected[]> {
  const slice = { limit: MOST, after: null }
  const connections = await store.connections.pageSeen(slice, { hostId: host.id, userId: here.user.id })
  return Promise.all(
    connections.map(async (connection) => {
      const all = await store.tokens.pageVisible(slice, {
        connectionId: connection.id,
        access: true,
        adminOf: here.user.id,
      })
      const title = snapshot().gateways.get(connection.gatewayId)?.gateway.title ?? connection.gateway
      return { ...connection, title, tokens: all.filter(({ revokedAt }) => revokedAt === null) }
    }),
  )
}

async function offer(visit: Visit, plan: GatewayPlan): Promise<void> {
  const { ctx, here, options } = visit
  const standings = await options.enrolment.standing(here.user.id, plan)
  const once = await options.once.mint({ payload: visit.host.id, ttlMs: HALF_HOUR_MS, bound: here.sessionHash })
  const field = options.browser.formField(ctx)
  const { gateway } = plan
  show(visit, mintPage({ ...topOf(visit), gateway, standings, action: pathTo(visit, gateway), field, once }))
}

async function act(visit: Visit): Promise<void> {
  const { ctx, here, host, options } = visit
  const form = await options.browser.readForm(ctx)
  await options.throttle(here.user.id)
  if (form.get('do') === 'revoke') {
    const token = form.get('token') ?? ''
    await options.mutations.change(actorOf(here.user), (work) => revokeEnrolled(work, { host: host.id, token }))
    return seeOther(ctx, `/connect/host/${host.slug}`)
  }
  const plan = planOf(visit)
  if (plan === null) return seeOther(ctx, `/connect/host/${host.slug}`)
  if (form.get('do') === 'mint') return mintFor(visit, plan, form)
  const standings = await options.enrolment.standing(here.user.id, plan)
  const returnTo = pathTo(visit, plan.gateway)
  await takeEnrolment(ctx, form, { enrolment: options.enrolment, signedIn: here, standings, returnTo })
}

const MintForm = z.object({
  label: z.string().trim().min(1).max(100),
  days: z.enum(['', '30', '90', '365']),
})

async function mintFor(visit: Visit, { gateway }: GatewayPlan, form: URLSearchParams): Promise<void> {
  const { here, host, options } = visit
  const read = MintForm.safeParse({ label: form.get('label'), days: form.get('days') })
  if (!read.success) throw new GatehouseError('GH_API_INVALID', { message: 'Give the token a name of 1 to 100 signs.' })
  const once = await options.once.take(form.get('once') ?? '', here.sessionHash)
  // Sent again by a reload, or another session's: the secret of then is not shown again, and no second one is made.
  if (once !== host.id) throw new GatehouseError('GH_PAGE_GONE')
  const { label, days } = read.data
  const expiresAt = days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString()
  const { token, secret } = await options.mutations.change(actorOf(here.user), (work) =>
    enrolToken(work, here.user, { host: host.id, gateway: gateway.id, label, expiresAt }),
  )
  const url = `${options.url()}/mcp/${gateway.slug}`
  show(visit, mintedPage({ ...topOf(visit), url, secret, expiresAt: token.expiresAt }))
}
