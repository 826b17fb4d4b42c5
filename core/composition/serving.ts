import { fileURLToPath } from 'node:url'
import type { Middleware } from 'koa'
import type { Config } from '../config.js'
import { openLibrary } from '../documentation/library.js'
import { createDocsServer } from '../documentation/mcp-server.js'
import { createApi } from '../http/api/index.js'
import { createDocs } from '../http/docs.js'
import { createHealth } from '../http/health.js'
import { createDoor } from '../http/mcp-door.js'
import { createOlderLines } from '../http/older-lines.js'
import { createOwnNames, type OwnNames } from '../http/origin.js'
import { createSso } from './sso.js'
import { createAuthPages } from '../http/pages/auth/index.js'
import { createPageFaults } from '../http/pages/faults.js'
import { createStyle } from '../http/pages/page.js'
import { createTurnedAway } from '../http/pages/turned-away.js'
import { createAddressOf } from '../http/peer.js'
import { createServer } from '../http/server.js'
import { createTolerances } from '../http/tolerances.js'
import { createWellKnown } from '../http/well-known.js'
import { createStreamPlaces } from '../mcp/stream-places.js'
import { createAuthenticate } from '../rooms/authenticate.js'
import { authorizationRoutes } from './authorization-server.js'
import { apiOptions } from './configuration.js'
import { connectPages } from './upstream-auth.js'
import { hostFlow } from './connect.js'
import { databaseIsThere, recordIsCarried } from './health.js'
import { type House, PARTS, type Surroundings, VERSION } from './house.js'
import { authOptions } from './signing-in.js'

/** Where the gateway is and whether it still takes calls; the URL is known only once the port is. */
export interface Place {
  readonly url: string
  readonly draining: boolean
}

const GRACE_MS = 30_000

/** Everything that is served over HTTP, in the order in which it is asked. */
export async function createServing(house: House, config: Config, place: Place, log: Surroundings['log']) {
  const onBroken = (thrown: unknown) => log.error({ err: thrown }, 'a request broke')
  const resources = house.get(PARTS.resources)
  const library = await openLibrary(fileURLToPath(new URL('../../../docs', import.meta.url)))
  const docs = createDocsServer(library, VERSION)
  const snapshots = house.get(PARTS.snapshots)
  const addressOf = createAddressOf(config.trustedProxies)
  const turnedAway = createTurnedAway(house.get(PARTS.refused), addressOf)
  const draining = () => place.draining
  const older = createOlderLines({
    replica: house.get(PARTS.replicas).id,
    lines: house.get(PARTS.lines),
    sessions: house.get(PARTS.sessions),
    onDropped: (notes) => log.debug({ notes }, 'a slow client has missed notes'),
  })
  const door = createDoor({
    pipeline: house.get(PARTS.pipeline),
    authenticate: createAuthenticate(house.get(PARTS.host).bus, house.get(PARTS.identities)),
    snapshot: snapshots.current,
    catchUp: snapshots.catchUp,
    names: lazily(() => createOwnNames(place.url, config.host)),
    sessions: house.get(PARTS.sessions),
    lines: house.get(PARTS.lines),
    older,
    places: createStreamPlaces({ perUser: () => snapshots.current().settings.limits.listensPerUser }),
    toOwner: house.get(PARTS.toOwner),
    addressOf,
    draining,
    onTolerated: createTolerances((fault) => log.info({ ...fault }, "a client's fault is tolerated")),
    onBroken,
  })
  const checks = { database: () => databaseIsThere(resources), record: () => recordIsCarried(house) }
  const authorization = authorizationRoutes(house, () => place.url, config)
  const server = createServer({
    door,
    middleware: [
      createApi(apiOptions(house, { url: () => place.url, turnedAway, onBroken })).routes() as Middleware,
      createHealth({ draining, checks }),
      createWellKnown(() => place.url),
      authorization.mount,
      createStyle(),
      createPageFaults(onBroken, turnedAway),
      createSso(house, { turnedAway, addressOf, url: () => place.url }),
      createAuthPages(authOptions(house, { turnedAway, addressOf, onBroken })),
      authorization.interaction,
      ...connectPages(house, config, () => place.url),
      hostFlow(house, () => place.url),
      createDocs(library, docs),
    ],
    tls: config.tls,
    onBroken,
  })
  const stop = async () => {
    const [lines, toOwner] = [house.get(PARTS.lines), house.get(PARTS.toOwner)]
    house.get(PARTS.listen).stop()
    lines.drain()
    older.stop()
    toOwner.drain()
    // The documentation has a standing stream of our own upstream side: it must end for the server to.
    await Promise.all([server.stop(GRACE_MS, () => lines.busy), docs.stop()])
    lines.stop()
    await toOwner.stop()
  }
  return { server, stop }
}

function lazily(make: () => OwnNames): OwnNames {
  let made: OwnNames | undefined
  const names = () => (made ??= make())
  return {
    hostIsOurs: (header) => names().hostIsOurs(header),
    originIsOurs: (header) => names().originIsOurs(header),
  }
}
