import type { Router } from '@koa/router'
import type { SsoOptions } from './options.js'
import { seeOther } from '../see-other.js'

/** Signs out here, and then at the provider that the session rests on. */
export function layOutSignOut(router: Router, options: SsoOptions): void {
  const { browser, tokens, idps, asks, url } = options
  router.post('/signout', async (ctx) => {
    await browser.readForm(ctx)
    const signedIn = await browser.session(ctx)
    const token = signedIn && (await tokens.of(signedIn.user.id))
    await browser.signOut(ctx)
    const rested = signedIn?.idp ?? null
    const idp = rested === null ? undefined : idps().find(({ id, enabled }) => id === rested.idpId && enabled)
    if (signedIn !== null) await tokens.forget(signedIn.user.id)
    const idToken = token !== null && token.idpId === idp?.id ? token.idToken : null
    const there = idp === undefined ? null : await asks.logout(idp, { idToken, returnTo: `${url()}/auth/signin` })
    seeOther(ctx, there ?? '/auth/signin')
  })
}
