import type { JsonObject, Principal } from '@gatehouse/sdk'
import type { InSession, LegacySession } from '../call.js'
import { createAudience } from '../listening/audience.js'
import { publicUpdate } from '../listening/public-update.js'
import type { Update } from '../listening/seat.js'
import { createSessionListeners } from '../listening/sessions.js'
import { capabilitiesOf } from '../mcp/translate.js'
import { createListen } from '../rooms/listen.js'
import { abilityOf } from '../upstream/ability.js'
import type { CatalogLog } from '../upstream/catalog-types.js'
import { createSubscriptions } from '../upstream/subscriptions.js'
import { type House, PARTS } from './house.js'

/** Everybody who is told of changes: sessions with a standing stream or subscriptions, and streams of the modern era. */
export function registerListening(house: House, log: CatalogLog): void {
  const accessOf = (principal: Principal, ability: InSession['ability']) =>
    house.get(PARTS.credentials).access(principal, ability)
  const passFor =
    (era: InSession['era']) =>
    async (update: Update, principal: Principal): Promise<JsonObject | null> => {
      const { plan, assignment, name, params } = update
      const place = { plan, assignment, principal, era, feature: { kind: 'resource' as const, name } }
      const ruled = await house.get(PARTS.asides).pass(place, 'response', params)
      return ruled === null ? null : publicUpdate(update, ruled, house.get(PARTS.catalog).publicUris(plan, assignment))
    }

  house.make(PARTS.subscriptions, (h) => createSubscriptions({ upstreams: h.get(PARTS.upstreams), log }))
  house.make(PARTS.audience, (h) =>
    createAudience({
      catalog: h.get(PARTS.catalog),
      infos: h.get(PARTS.infos),
      subscriptions: h.get(PARTS.subscriptions),
      plan: (gatewayId) => h.get(PARTS.snapshots).current().gateways.get(gatewayId),
      limits: () => h.get(PARTS.snapshots).current().settings.limits,
      log,
    }),
  )
  house.make(PARTS.listeners, (h) =>
    createSessionListeners({
      audience: h.get(PARTS.audience),
      lines: h.get(PARTS.lines),
      accessOf: (session, principal) => accessOf(principal, abilityOfSession(session)),
      pass: passFor('legacy'),
    }),
  )
  house.make(PARTS.listen, (h) => {
    const pass = passFor('modern')
    return createListen({
      enter: h.get(PARTS.audience).enter,
      accessOf: (call) => accessOf(call.principal, call.ability),
      capabilities: async (call) => {
        const access = accessOf(call.principal, call.ability)
        return (await h.get(PARTS.offers).of(call.plan, access, call.era)).capabilities
      },
      pass: (update, call) => pass(update, call.principal),
    })
  })
}

/** As its calls have it, those that its client can be asked on: their lists are the ones that it sees. */
function abilityOfSession(session: LegacySession): InSession['ability'] {
  return abilityOf(capabilitiesOf({ era: 'legacy', params: {}, session }), session.version)
}
