import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { z } from 'zod'
import type { IdpPerson } from '@gatehouse/sdk'
import type { Idp } from '../../../domain/nouns.js'
import { GatehouseError } from '../../../errors.js'
import { createOneTime } from '../../../identity/one-time.js'
import { html } from '../html.js'
import { showPage } from '../page.js'
import { enter } from './enter.js'
import { want } from './faults.js'
import type { SsoOptions } from './options.js'
import { seeOther } from '../see-other.js'

const TTL_MS = 10 * 60_000
const Asked = z.object({
  idpId: z.string(),
  to: z.string(),
  person: z.object({
    issuer: z.string(),
    subject: z.string(),
    session: z.string().nullable(),
    groups: z.array(z.string()).nullable(),
    idToken: z.string().nullable(),
    expiresAt: z.number().nullable(),
  }),
})

const asked = ({ oneTime }: SsoOptions) => createOneTime(oneTime, 'sso_link', Asked)

/** Asks the holder of an account, who is signed in here, whether they are the one who came back from the provider. */
export async function askToLink(
  ctx: Context,
  { idp, person, to, email }: { idp: Idp; person: IdpPerson; to: string; email: string },
  options: SsoOptions,
): Promise<void> {
  const signedIn = await options.browser.session(ctx)
  if (signedIn === null) throw gone()
  const payload = { idpId: idp.id, to, person: Asked.shape.person.parse(person) }
  const secret = await asked(options).mint({ payload, ttlMs: TTL_MS, bound: signedIn.sessionHash })
  showPage(ctx, {
    title: `Sign in with ${idp.title}`,
    body: html`<h1>Sign in with ${idp.title} from now on?</h1>
      <p>
        You are signed in as <strong>${signedIn.user.email}</strong>, and have just signed in at ${idp.title} as
        <strong>${email}</strong>. Whoever can sign in there as you can then use this account.
      </p>
      <form method="post" action="/auth/sso/link">
        ${options.browser.formField(ctx)}
        <input type="hidden" name="link" value="${secret}" />
        <button class="main">Yes, tie them together</button>
      </form>
      <p><a href="${to}">No, leave it</a></p>`,
  })
}

export function layOutLink(router: Router, options: SsoOptions): void {
  router.post('/link', async (ctx) => {
    const { browser, arrivals, idps } = options
    const form = await browser.readForm(ctx)
    const signedIn = await browser.session(ctx)
    const found = signedIn && (await asked(options).take(form.get('link') ?? '', signedIn.sessionHash))
    if (!found) throw gone()
    want(ctx, found.to)
    const idp = idps().find(({ id, enabled }) => id === found.idpId && enabled)
    if (idp === undefined) throw new GatehouseError('GH_SSO_UNKNOWN', { detail: 'the provider was removed meanwhile' })
    await arrivals.tie(idp, found.person, signedIn.user.id)
    await enter(ctx, { idp, person: found.person, userId: signedIn.user.id }, options)
    seeOther(ctx, found.to)
  })
}

const gone = () => new GatehouseError('GH_PAGE_GONE', { detail: 'nothing is to be linked in this session' })
