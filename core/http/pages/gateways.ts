import type { UserRef } from '@gatehouse/sdk'
import { mayUse } from '../../domain/policy.js'
import type { GatewayPlan, Snapshot } from '../../domain/snapshot.js'
import { html, type Html } from './html.js'

/** The gateways that a person may use and that are switched on, by their titles. */
export function gatewaysOf(user: Pick<UserRef, 'capabilities' | 'teams'>, { gateways }: Snapshot): GatewayPlan[] {
  // Each stands there by its id, its slug and its former ones.
  return [...new Set(gateways.values())]
    .filter(({ gateway }) => gateway.enabled && mayUse(user, gateway))
    .toSorted((a, b) => a.gateway.title.localeCompare(b.gateway.title))
}

/** A form that comes back with `?gateway=`. */
export const chooseGateway = (plans: readonly GatewayPlan[]): Html =>
  html`<form method="get">
    <fieldset>
      <legend>Which gateway may it use?</legend>
      ${plans.map(
        ({ gateway: { slug, title } }, at) =>
          html`<label class="choice"
            ><input type="radio" name="gateway" value="${slug}" required ${at === 0 && html`checked`} /> ${title}</label
          >`,
      )}
    </fieldset>
    <button class="main">Continue</button>
  </form>`
