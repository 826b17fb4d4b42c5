import { idpConfig } from '../configuration/nouns/idps.js'
import { GATEWAY } from '../configuration/work.js'
import { asWebFetch } from '../egress/web-fetch.js'
import { createSsoPages } from '../http/pages/sso/index.js'
import type { SsoOptions } from '../http/pages/sso/options.js'
import { createArrivals } from '../identity/sso/arrivals.js'
import { createIdpAsks } from '../identity/sso/asks.js'
import { createTrips } from '../identity/sso/trips.js'
import { createSignInWays } from '../identity/sso/ways.js'
import { createSubjectTokens } from '../identity/subject-tokens.js'
import { createTrustedIssuers } from '../identity/trusted-issuers.js'
import { type House, PARTS } from './house.js'

/** Signing in at identity providers, and what other parts get from it. */
export function laySso(house: House): void {
  const idps = () => house.get(PARTS.snapshots).current().idps
  house.make(PARTS.signInWays, () => createSignInWays(idps))
  house.make(PARTS.subjectTokens, (h) => createSubjectTokens(h.get(PARTS.oneTime)))
  house.make(PARTS.idpAsks, (h) => {
    const store = h.get(PARTS.store)
    return createIdpAsks({ bus: h.get(PARTS.host).bus, configOf: (idp) => idpConfig({ store }, idp) })
  })
  house.make(PARTS.trustedIssuers, (h) =>
    createTrustedIssuers({
      idps,
      describe: h.get(PARTS.idpAsks).describe,
      links: h.get(PARTS.store).idpLinks,
      fetch: asWebFetch(h.get(PARTS.egress), { timeoutMs: 8_000, maxBytes: 1024 * 1024 }),
    }),
  )
}

export function createSso(house: House, rest: Pick<SsoOptions, 'turnedAway' | 'addressOf' | 'url'>) {
  const [store, oneTime] = [house.get(PARTS.store), house.get(PARTS.oneTime)]
  const { mutations } = house.get(PARTS.configuration)
  return createSsoPages({
    ...rest,
    browser: house.get(PARTS.browser),
    sessions: house.get(PARTS.consoleSessions),
    idps: () => house.get(PARTS.snapshots).current().idps,
    asks: house.get(PARTS.idpAsks),
    trips: createTrips(oneTime),
    arrivals: createArrivals({ store, change: (work) => mutations.change(GATEWAY, (inside) => work(inside.store)) }),
    links: store.idpLinks,
    tokens: house.get(PARTS.subjectTokens),
    oneTime,
  })
}
