import type { Router } from '@koa/router'
import type { Context } from 'koa'
import type { SignedIn } from '../../../identity/console-sessions.js'
import type { Browser } from '../browser.js'
import { html } from '../html.js'
import { showPage } from '../page.js'
import type { AuthOptions } from './options.js'

/** What a person sees and changes of themselves. */
export function layOutAccount(router: Router, options: AuthOptions): void {
  const { browser } = options
  router.get('/account', async (ctx) => {
    const signedIn = await signedInOrSent(ctx, browser)
    if (signedIn === null) return
    const { user } = signedIn
    showPage(ctx, {
      title: 'Your account',
      body: html`<h1>Your account</h1>
        <p>${user.name} <span class="hint">${user.email}</span></p>
        <form method="post" action="/auth/signout">${browser.formField(ctx)}<button>Sign out</button></form>`,
    })
  })
}

/** Who is signed in; whoever is not is sent to sign in, and back here. */
export async function signedInOrSent(ctx: Context, browser: Browser): Promise<SignedIn | null> {
  const signedIn = await browser.session(ctx)
  if (signedIn === null) ctx.redirect(`/auth/signin?to=${encodeURIComponent(ctx.path)}`)
  return signedIn
}
