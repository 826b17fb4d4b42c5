import type { Context } from 'koa'
import { html } from '../pages/html.js'
import { showPage } from '../pages/page.js'

const UNREAD = html`This gateway could not read the document that the client is known by. A gateway that cannot reach
  the internet is told so by an administrator, with <code>clientDocuments: false</code> in its settings: then clients
  register.`

/** A failure of the authorization server that cannot be sent to a client: it has no place that is known to be its own. */
export function showServerError(ctx: Context, message: string): void {
  showPage(ctx, {
    title: 'That did not work',
    status: ctx.status,
    body: html`<h1>That did not work</h1>
      <p class="error" role="alert">${message}</p>
      <p class="hint">
        ${message.startsWith('client_id metadata document') && UNREAD} Start again in your AI client. If that does not
        help, remove this gateway there and add it anew, so that the client registers again.
      </p>`,
  })
}
