import type { GatewayPlan } from '../../domain/snapshot.js'
import type { Standing } from '../../identity/enrolment.js'
import type { Asked } from '../../oauth/server/asked.js'
import { placeOf } from '../../oauth/server/redirects.js'
import { isComplete, showStandings } from '../pages/enrol.js'
import { html, type Html } from '../pages/html.js'
import { chooseGateway } from '../pages/gateways.js'

/** Who asks, with where the answer goes as the headline: a name can be anybody's, the place cannot. */
function who({ client, redirectUri }: Asked, email: string): Html {
  return html`<h1>Let an AI client in?</h1>
    <p>
      It calls itself <strong>${client.name}</strong>, and the answer goes to
      <strong class="place">${placeOf(redirectUri)}</strong>. Go on only if you have just started this yourself there.
    </p>
    <p class="hint">You are signed in as ${email}.</p>`
}

export interface Choosing {
  readonly asked: Asked
  readonly email: string
  readonly gateways: readonly GatewayPlan[]
  readonly formField: Html
}

/** The URL named no gateway: the person chooses among those that are theirs. */
export function choosePage({ asked, email, gateways, formField }: Choosing): Html {
  return html`${who(asked, email)} ${chooseGateway(gateways)} ${denyForm(formField)}`
}

export interface Consenting {
  readonly asked: Asked
  readonly email: string
  readonly plan: GatewayPlan
  readonly standing: readonly Standing[]
  readonly formField: Html
}

export function consentPage({ asked, email, plan, standing, formField }: Consenting): Html {
  const action = `/oauth/interaction/${asked.uid}/enrol?gateway=${encodeURIComponent(plan.gateway.slug)}`
  return html`${who(asked, email)}
    <p>
      It will use the gateway <strong>${plan.gateway.title}</strong> in your name, until you or an administrator end it.
    </p>
    ${
      standing.length > 0 &&
      html`<h2>Its servers that act as you</h2>
        ${showStandings(standing, { action, field: formField })}`
    }
    <form method="post">
      ${formField}
      <input type="hidden" name="gateway" value="${plan.gateway.slug}" />
      <button class="main" name="answer" value="allow">
        ${isComplete(standing) ? 'Allow' : 'Allow, and connect the rest later'}
      </button>
      <button name="answer" value="deny">Deny</button>
    </form>`
}

const denyForm = (formField: Html): Html =>
  html`<form method="post">${formField}<button name="answer" value="deny">Deny</button></form>`

/** Nothing can be let in: the person is told whom to ask, and the client gets its answer. */
export function nothingPage(asked: Asked, email: string, why: string, formField: Html): Html {
  return html`${who(asked, email)}
    <p class="error" role="alert">${why}</p>
    ${denyForm(formField)}`
}
