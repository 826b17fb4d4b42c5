import type { Context, Middleware } from 'koa'
import { html, type Html } from './html.js'
import { ICON, STYLE } from './style.js'

export interface Page {
  readonly title: string
  readonly body: Html
  readonly status?: number
  /** Path of a script of ours; everything works without it. */
  readonly script?: string
}

export const STYLE_PATH = '/auth/style.css'
const ICON_PATH = '/auth/icon.svg'

/**
 * Shows a page that is rendered here and works without JavaScript. There is no `form-action` in its policy: browsers hold
 * the redirect after a form to it as well, and that redirect leads to the AI client.
 */
export function showPage(ctx: Context, { title, body, status = 200, script }: Page): void {
  const scripts = script === undefined ? '' : "; script-src 'self'"
  ctx.status = status
  ctx.type = 'html'
  ctx.set({
    'content-security-policy': `default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'${scripts}`,
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    // With `no-referrer` a browser would send `Origin: null` with our own forms.
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  })
  ctx.body = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Gatehouse</title>
        <link rel="stylesheet" href="${STYLE_PATH}" />
        <link rel="icon" href="${ICON_PATH}" type="image/svg+xml" />
        ${script !== undefined && html`<script src="${script}" defer></script>`}
      </head>
      <body>
        <main>
          <p class="brand">Gatehouse</p>
          ${body}
        </main>
      </body>
    </html>`.text
}

/** The style of all these pages, and the little picture in the browser's tab. */
export function createStyle(): Middleware {
  return (ctx, next) => {
    if (ctx.path !== STYLE_PATH && ctx.path !== ICON_PATH) return next()
    ctx.type = ctx.path === ICON_PATH ? 'svg' : 'css'
    ctx.set({ 'cache-control': 'public, max-age=3600', 'x-content-type-options': 'nosniff' })
    ctx.body = ctx.path === ICON_PATH ? ICON : STYLE
  }
}
