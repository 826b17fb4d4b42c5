import type { Gateway, Host } from '../../domain/nouns.js'
import type { ConnectionSeen, TokenSeen } from '../../domain/store.js'
import type { Standing } from '../../identity/enrolment.js'
import { isComplete, showStandings } from '../pages/enrol.js'
import { html, type Html } from '../pages/html.js'
import { chooseGateway } from '../pages/gateways.js'
import type { GatewayPlan } from '../../domain/snapshot.js'

/** The pages on which a person gives an agent a token of their own. */

interface Top {
  readonly host: Host
  readonly email: string
}

const heading = ({ host, email }: Top): Html =>
  html`<h1>Let ${host.title} act for you</h1>
    <p class="hint">You are signed in as ${email}. What it calls is called as you, and the log says so.</p>`

export interface Choosing extends Top {
  readonly gateways: readonly GatewayPlan[]
  readonly connections: readonly Connected[]
  readonly field: Html
}
export interface Connected extends ConnectionSeen {
  readonly title: string
  readonly tokens: readonly TokenSeen[]
}

export function choosePage(shown: Choosing): Html {
  const { gateways, connections } = shown
  return html`${heading(shown)}
  ${
    gateways.length === 0
      ? html`<p class="note">
          None of your teams has a gateway. Ask an administrator to make one available to a team of yours.
        </p>`
      : chooseGateway(gateways)
  }
  ${connections.some(({ tokens }) => tokens.length > 0) && tokenList(shown)}`
}

function tokenList({ connections, field }: Choosing): Html {
  return html`<h2>Your tokens</h2>
    ${connections.map(
      ({ title, tokens, enabled }) =>
        html`${tokens.length > 0 && html`<p>${title}${!enabled && ' (switched off by an administrator)'}</p>`}
          <ul class="rows">
            ${tokens.map((token) => html`<li>${tokenRow(token, field)}</li>`)}
          </ul>`,
    )}`
}

const day = (moment: string | null): string | null => moment?.slice(0, 10) ?? null

function tokenRow({ id, label, lastFour, createdAt, lastUsedAt, expiresAt }: TokenSeen, field: Html): Html {
  return html`<strong>${label}</strong> <code>…${lastFour}</code>
    <span class="hint"
      >made ${day(createdAt)},
      ${lastUsedAt === null ? 'not used yet' : `last used ${day(lastUsedAt)}`}${
        expiresAt !== null && `, until ${day(expiresAt)}`
      }</span
    >
    <form method="post">
      ${field}<input type="hidden" name="token" value="${id}" />
      <button name="do" value="revoke">Revoke …${lastFour}</button>
    </form>`
}

export interface Minting extends Top {
  readonly gateway: Gateway
  readonly standings: readonly Standing[]
  readonly action: string
  readonly field: Html
  /** Makes a second press of the button harmless. */
  readonly once: string
}

export function mintPage(shown: Minting): Html {
  const { gateway, standings, action, field, once } = shown
  const isWhole = isComplete(standings)
  return html`${heading(shown)}
    <p>It will use the gateway <strong>${gateway.title}</strong>, and no other.</p>
    ${
      standings.length > 0 &&
      html`<h2>Servers that know you by name</h2>
        ${showStandings(standings, { action, field, renews: true })}`
    }
    <form method="post" action="${action}">
      ${field}<input type="hidden" name="once" value="${once}" />
      <label for="label">What to call the token</label>
      <input type="text" id="label" name="label" value="${shown.host.title}" maxlength="100" required />
      <label for="days">How long it lasts</label>
      <select id="days" name="days">
        <option value="">until it is revoked</option>
        <option value="30">30 days</option>
        <option value="90">90 days</option>
        <option value="365">a year</option>
      </select>
      <button class="main" name="do" value="mint">
        ${isWhole ? 'Make a token' : 'Make a token, and connect the rest later'}
      </button>
    </form>`
}

export interface Minted extends Top {
  readonly url: string
  readonly secret: string
  readonly expiresAt: string | null
}

export function mintedPage(shown: Minted): Html {
  const { host, url, secret, expiresAt } = shown
  const config = { mcpServers: { gatehouse: { type: 'http', url, headers: { Authorization: `Bearer ${secret}` } } } }
  const call = [
    `curl ${url} \\`,
    `  -H 'Authorization: Bearer ${secret}' \\`,
    `  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\`,
    `  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`,
  ]
  return html`${heading(shown)}
    <p class="note ok">Copy the token now: it is not shown again.</p>
    <label>Gateway</label>
    <pre id="url">${url}</pre>
    <label>Token</label>
    <pre id="token">${secret}</pre>
    ${expiresAt !== null && html`<p class="hint">It ends on ${day(expiresAt)}.</p>`}
    <h2>For a client that reads JSON</h2>
    <pre>${JSON.stringify(config, null, 2)}</pre>
    <h2>To try it</h2>
    <pre>${call.join('\n')}</pre>
    <p><a href="/connect/host/${host.slug}">Back to your tokens</a></p>`
}
