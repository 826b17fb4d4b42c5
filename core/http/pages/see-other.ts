import type { Context } from 'koa'

/** After a form: the browser fetches the next page anew, and a reload sends nothing (RFC 9110, section 15.4.4). */
export function seeOther(ctx: Context, to: string): void {
  ctx.status = 303
  ctx.redirect(to)
}
