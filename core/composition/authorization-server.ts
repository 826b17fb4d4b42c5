import { withAdvisoryLock } from '../cluster/locks.js'
import type { Config } from '../config.js'
import { createArtifactRows } from '../db/repositories/oauth-artifacts.js'
import { createClientRows } from '../db/repositories/oauth-clients.js'
import { createGrantRows } from '../db/repositories/oauth-grants.js'
import { createKeyRows } from '../db/repositories/oauth-keys.js'
import { asWebFetch } from '../egress/web-fetch.js'
import { createInteraction } from '../http/interaction/routes.js'
import { createCounter, createMount } from '../http/oauth/mount.js'
import { createAddressOf } from '../http/peer.js'
import { showServerError } from '../http/oauth/failure.js'
import { createThrottles } from '../http/oauth/throttles.js'
import { createAdminClients } from '../oauth/server/admin-clients.js'
import { createDocumentFetch, MOST_BYTES } from '../oauth/server/client-documents.js'
import { createClientSource } from '../oauth/server/client-source.js'
import type { Happenings } from '../oauth/server/happenings.js'
import { createAuthorizationServer } from '../oauth/server/server.js'
import { drain } from './drain.js'
import { type House, PARTS, type Surroundings } from './house.js'

const DOCUMENT_MS = 2_500
/** Clients that registered and were never granted anything: past so many the oldest go. */
const MOST_IDLE_CLIENTS = 50_000

/** The authorization server for AI clients. */
export function layAuthorizationServer(
  house: House,
  publicUrl: () => string,
  config: Config,
  log: Surroundings['log'],
) {
  const { dataSource, vault } = house.get(PARTS.resources)
  const snapshot = () => house.get(PARTS.snapshots).current()
  const epochs = house.get(PARTS.epochs)
  const artifacts = createArtifactRows(dataSource.manager, vault)
  const clientRows = createClientRows(dataSource.manager, vault)
  const counter = createCounter()
  const grants = createGrantRows(dataSource.manager)
  // What was ended must not be known on the next request, here and elsewhere.
  const onEnded = async () => {
    await house.get(PARTS.store).bumpEpoch()
    await epochs.check()
  }
  const schemes = () => snapshot().settings.redirectSchemes
  house.put(PARTS.oauthClients, createAdminClients({ rows: clientRows, grants, schemes, onEnded }))
  house.put(PARTS.oauthCounter, counter)
  house.put(PARTS.oauthSweep, async () => {
    await drain(artifacts.sweep)
    await drain(grants.sweep)
    await drain((limit) => clientRows.sweep(MOST_IDLE_CLIENTS, limit))
    await house.get(PARTS.oauthServer).turnKeys()
  })
  house.make(PARTS.oauthServer, (h) =>
    createAuthorizationServer({
      url: publicUrl,
      artifacts,
      clients: createClientSource({ rows: clientRows, epoch: epochs.current }),
      clientRows,
      grants,
      keyring: {
        rows: createKeyRows(dataSource.manager, vault),
        lock: (work) => withAdvisoryLock(dataSource, 'oauth-keys', work),
      },
      snapshot,
      reuse: () => snapshot().settings.refreshReuse,
      signedIn: counter.signedIn,
      exists: async (userId) => (await h.get(PARTS.store).users.find(userId)) !== null,
      documents: createDocumentFetch({
        fetch: asWebFetch(h.get(PARTS.egress), { timeoutMs: DOCUMENT_MS, maxBytes: MOST_BYTES }),
      }),
      issuers: h.get(PARTS.trustedIssuers),
      person: h.get(PARTS.consoleSessions).person,
      first: (hash, expiresAt) => h.get(PARTS.oneTime).first('id-jag', hash, expiresAt),
      renderError: showServerError,
      happenings: happeningsOf(h, config, log),
      onEnded,
    }),
  )
}

function happeningsOf(house: House, config: Config, log: Surroundings['log']): Happenings {
  const addressOf = createAddressOf(config.trustedProxies)
  return {
    refused: ({ req, method, reason, httpStatus }) => {
      const from = { ip: addressOf(req), userAgent: req.headers['user-agent'] ?? null }
      const written = house.get(PARTS.refused)({ method, reason, httpStatus, ...from })
      void written.catch((thrown: unknown) => log.error({ err: thrown }, 'a refusal is not on record'))
    },
    reused: ({ what, clientId }) =>
      house.get(PARTS.raise)({
        type: 'token_reused',
        severity: 'error',
        key: `token_reused/${clientId}`,
        message: `A spent ${what} was used again, so its grant was ended: somebody may have stolen it`,
        context: { client: clientId ?? 'unknown', what },
      }),
    broken: (thrown) => log.error({ err: thrown }, 'the authorization server broke'),
  }
}

/** Its endpoints and the pages of its people. */
export function authorizationRoutes(house: House, url: () => string, config: Config) {
  const server = house.get(PARTS.oauthServer)
  const browser = house.get(PARTS.browser)
  const snapshot = () => house.get(PARTS.snapshots).current()
  const addressOf = createAddressOf(config.trustedProxies)
  const throttles = createThrottles({ addressOf, registrations: () => snapshot().settings.limits.registrations })
  return {
    mount: createMount({ server, url, browser, counter: house.get(PARTS.oauthCounter), throttle: throttles.request }),
    interaction: createInteraction({
      server,
      browser,
      snapshot,
      url,
      enrolment: house.get(PARTS.enrolment),
      throttle: (ctx) => throttles.answer(ctx.req),
    }),
  }
}
