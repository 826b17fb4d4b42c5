import type { Context } from 'koa'
import { GatehouseError } from '../../errors.js'
import type { SignedIn } from '../../identity/console-sessions.js'
import type { Enrolment, Standing } from '../../identity/enrolment.js'
import { html, type Html } from './html.js'
import { seeOther } from './see-other.js'

const HEADER = 'header.'

export interface EnrolForms {
  /** Where the forms are posted to. */
  readonly action: string
  /** `Browser.formField`. */
  readonly field: Html
  /** Whether one that works can be given anew. */
  readonly renews?: boolean
}

/** The servers that everyone brings their own identity to, one by one, each with what it still needs of the person. */
export function showStandings(standings: readonly Standing[], forms: EnrolForms): Html {
  return html`<ul class="rows">
    ${standings.map((standing) => html`<li>${showStanding(standing, forms)}</li>`)}
  </ul>`
}

/** True when nothing is asked of the person any more. */
export const isComplete = (standings: readonly Standing[]): boolean =>
  standings.every(({ state }) => state === 'ready' || state === 'disabled')

function showStanding(standing: Standing, forms: EnrolForms): Html {
  const { server, state } = standing
  const asks = state === 'missing' || state === 'needs_reauth' || (state === 'ready' && forms.renews)
  return html`<strong>${server.title}</strong> <span class="${CLASSES[state]}">${WORDS[state]}</span> ${
      asks && showForm(standing, forms)
    }`
}

const WORDS = {
  ready: 'connected',
  missing: 'needs your account',
  needs_reauth: 'your access has expired',
  disabled: 'switched off by an administrator',
} as const
const CLASSES = { ready: 'ok', missing: '', needs_reauth: 'bad', disabled: 'hint' } as const

function showForm({ server, state, method, headers }: Standing, { action, field }: EnrolForms): Html {
  const verb = state === 'missing' ? 'Connect' : 'Connect again'
  return html`<form method="post" action="${action}">
    ${field}<input type="hidden" name="server" value="${server.id}" />
    ${method === 'headers' && headers.map((name) => showHeader(server.id, name))}
    <button class="${state === 'ready' ? '' : 'main'}">${verb} ${server.title}</button>
  </form>`
}

/** Write-only: what was given before is never shown. */
function showHeader(serverId: string, name: string): Html {
  const id = `${serverId}-${name}`
  return html`<label for="${id}">${name}</label>
    <input type="password" id="${id}" name="${HEADER}${name}" autocomplete="off" spellcheck="false" required />`
}

export interface Enrolled {
  readonly enrolment: Enrolment
  readonly signedIn: SignedIn
  readonly standings: readonly Standing[]
  /** A path of ours, where the person goes on. */
  readonly returnTo: string
}

/**
 * Takes what a form of `showStandings` sends: the browser goes to the server's own sign-in, or, when header values were given,
 * to `returnTo`. Throws for a server that is not among the standings: nobody enrols for what they cannot reach.
 */
export async function takeEnrolment(
  ctx: Context,
  form: URLSearchParams,
  { enrolment, signedIn, standings, returnTo }: Enrolled,
): Promise<void> {
  const standing = standings.find(({ server }) => server.id === form.get('server'))
  if (standing === undefined)
    throw new GatehouseError('GH_API_NOT_FOUND', { message: 'This page is about another server. Reload it.' })
  if (standing.state === 'disabled')
    throw new GatehouseError('GH_PERMIT_DISABLED', { message: `'${standing.server.title}' is switched off` })
  if (standing.method === 'oauth') {
    const { user, sessionHash } = signedIn
    return seeOther(ctx, await enrolment.begin({ user, sessionHash, serverId: standing.server.id, returnTo }))
  }
  await enrolment.giveHeaders(signedIn.user, standing.server.id, headersIn(form, standing.headers))
  seeOther(ctx, returnTo)
}

function headersIn(form: URLSearchParams, names: readonly string[]): Record<string, string> {
  const given = names.map((name) => [name, (form.get(HEADER + name) ?? '').trim()] as const)
  const missing = given.find(([, value]) => value === '')
  if (missing) throw new GatehouseError('GH_API_INVALID', { message: `Give a value for ${missing[0]}.` })
  return Object.fromEntries(given)
}
