import type { Context, Middleware } from 'koa'
import { holds } from '../../domain/capabilities.js'
import type { GatewayPlan, Snapshot } from '../../domain/snapshot.js'
import { GatehouseError } from '../../errors.js'
import type { SignedIn } from '../../identity/console-sessions.js'
import type { Enrolment } from '../../identity/enrolment.js'
import type { Asked } from '../../oauth/server/asked.js'
import { readResource } from '../../oauth/server/resources.js'
import type { AuthorizationServer } from '../../oauth/server/server.js'
import { answer, asOurs } from '../oauth/mount.js'
import type { Browser } from '../pages/browser.js'
import { takeEnrolment } from '../pages/enrol.js'
import type { Html } from '../pages/html.js'
import { showPage } from '../pages/page.js'
import { choosePage, consentPage, nothingPage } from './pages.js'
import { gatewaysOf } from '../pages/gateways.js'

export interface InteractionOptions {
  readonly server: AuthorizationServer
  readonly browser: Browser
  readonly snapshot: () => Snapshot
  readonly url: () => string
  readonly enrolment: Enrolment
  /** Counts an answer of a person's; throws GH_PAGE_RATE_LIMITED past the limit. */
  readonly throttle: (ctx: Context) => Promise<void>
}

const PATH = /^\/oauth\/interaction\/([A-Za-z0-9_-]{1,64})(\/enrol)?$/

/** What the person behind an AI client walks through: sign in, choose a gateway, connect its servers, allow or deny. */
export function createInteraction(options: InteractionOptions): Middleware {
  return async (ctx, next) => {
    const match = PATH.exec(ctx.path)
    if (match === null) return next()
    const base = new URL(options.url())
    asOurs(ctx.req, base)
    const asked = await options.server.asked(ctx.req, ctx.res)
    if (asked.uid !== match[1]) throw new GatehouseError('GH_PAGE_GONE')
    const here = await options.browser.session(ctx)
    if (here === null) return ctx.redirect(`/auth/signin?to=${encodeURIComponent(ctx.path)}`)
    // The console says who is there; the authorization server follows, also when somebody else signed in meanwhile.
    if (asked.wants === 'sign-in' || asked.accountId !== here.user.id)
      return answer(ctx, base, () => options.server.signIn(ctx, here.user.id))
    const visit = { ctx, base, asked, here, options }
    if (ctx.method === 'GET' && match[2] === undefined) return show(visit)
    if (ctx.method !== 'POST') return next()
    await options.throttle(ctx)
    return match[2] === undefined ? decide(visit) : enrol(visit)
  }
}

interface Visit {
  readonly ctx: Context
  readonly base: URL
  readonly asked: Asked
  readonly here: SignedIn
  readonly options: InteractionOptions
}

async function show(visit: Visit): Promise<void> {
  const { ctx, asked, here, options } = visit
  const { email } = here.user
  const formField = options.browser.formField(ctx)
  const page = (body: Html) => showPage(ctx, { title: 'Let an AI client in', body })
  const offered = offers(visit)
  if (offered.refusal !== null) return page(nothingPage(asked, email, offered.refusal, formField))
  const chosen = choose(offered.gateways, offered.picker ? ctx.query['gateway'] : undefined)
  if (chosen === null) return page(choosePage({ asked, email, gateways: offered.gateways, formField }))
  const refusal = await refusalOf(visit, chosen, offered.picker)
  if (refusal !== null) return page(nothingPage(asked, email, refusal, formField))
  const standing = await options.enrolment.standing(here.user.id, chosen)
  page(consentPage({ asked, email, plan: chosen, standing, formField }))
}

async function decide(visit: Visit): Promise<void> {
  const { ctx, base, asked, here, options } = visit
  const form = await options.browser.readForm(ctx)
  if (form.get('answer') !== 'allow') return answer(ctx, base, () => options.server.deny(ctx))
  const { chosen, picker } = await mustChoose(visit, form.get('gateway'))
  const consent = { userId: here.user.id, gatewayId: chosen.gateway.id, picker }
  await answer(ctx, base, () => options.server.allow(ctx, asked, consent))
}

/** Sends the person to the sign-in of a server, or keeps the header values that they gave; then the page is shown again. */
async function enrol(visit: Visit): Promise<void> {
  const { ctx, asked, here: signedIn, options } = visit
  const { enrolment } = options
  const form = await options.browser.readForm(ctx)
  const { chosen } = await mustChoose(visit, ctx.query['gateway'])
  const standings = await enrolment.standing(signedIn.user.id, chosen)
  const returnTo = `/oauth/interaction/${asked.uid}?gateway=${encodeURIComponent(chosen.gateway.slug)}`
  await takeEnrolment(ctx, form, { enrolment, signedIn, standings, returnTo })
}

interface Offered {
  readonly picker: boolean
  readonly gateways: readonly GatewayPlan[]
  /** Why nothing can be allowed; null: something can. */
  readonly refusal: string | null
}

const NO_CAPABILITY =
  'Your role may not let AI clients in. Ask an administrator for the capability to authenticate via OAuth.'
const NO_GATEWAY = 'None of your teams has a gateway. Ask an administrator to make one available to a team of yours.'
const NOT_YOURS = 'This gateway is not available to you. Ask an administrator to make it available to a team of yours.'
const SWITCHED_OFF = 'This client or its connection is switched off here. Ask an administrator to switch it on again.'

function offers({ asked: { resource: text }, here: { user }, options }: Visit): Offered {
  const snapshot = options.snapshot()
  const resource = readResource(text, options.url(), snapshot)
  const picker = resource === null || resource.kind === 'picker'
  if (!holds(user.capabilities, 'authenticateViaOauth')) return { picker, gateways: [], refusal: NO_CAPABILITY }
  const mine = gatewaysOf(user, snapshot)
  const asked = resource?.kind === 'gateway' ? resource.gateway.id : null
  const gateways = picker ? mine : mine.filter(({ gateway }) => gateway.id === asked)
  const refusal = gateways.length > 0 ? null : picker ? NO_GATEWAY : NOT_YOURS
  return { picker, gateways, refusal }
}

/** The one that there is, or the one that was named; null: the person has yet to choose. */
function choose(gateways: readonly GatewayPlan[], named: unknown): GatewayPlan | null {
  if (gateways.length === 1) return gateways[0] ?? null
  return gateways.find(({ gateway }) => gateway.slug === named) ?? null
}

async function refusalOf({ asked, here, options }: Visit, { gateway }: GatewayPlan, picker: boolean) {
  const consent = { userId: here.user.id, gatewayId: gateway.id, picker }
  return (await options.server.allows(asked, consent)) ? null : SWITCHED_OFF
}

/** What was shown may hold no longer: everything is asked again before anything is granted. */
async function mustChoose(visit: Visit, named: unknown) {
  const { picker, gateways, refusal } = offers(visit)
  if (refusal !== null) throw new GatehouseError('GH_PERMIT_REFUSED', { message: refusal })
  const chosen = gateways.find(({ gateway }) => gateway.slug === named)
  if (chosen === undefined) throw new GatehouseError('GH_PERMIT_REFUSED', { message: NOT_YOURS })
  const off = await refusalOf(visit, chosen, picker)
  if (off !== null) throw new GatehouseError('GH_PERMIT_REFUSED', { message: off })
  return { chosen, picker }
}
