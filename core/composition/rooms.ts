import type { InSession, Routed } from '../call.js'
import { resourceMetadataUrl } from '../http/well-known.js'
import { publicResult } from '../mcp/uris.js'
import { createPipeline } from '../pipeline.js'
import { createAnswer } from '../rooms/answer.js'
import { createAuthenticate } from '../rooms/authenticate.js'
import { createForward } from '../rooms/forward.js'
import { createInspect } from '../rooms/inspect.js'
import { createList } from '../rooms/list.js'
import { createPermit } from '../rooms/permit.js'
import { createRespond } from '../rooms/respond.js'
import { createRoute } from '../rooms/route.js'
import { createSession } from '../rooms/session.js'
import { createCredentials } from '../upstream/credentials.js'
import { type House, PARTS, VERSION } from './house.js'
import { createPersonalIdentities } from './personal.js'

/** The rooms in the order of the corridor. */
export function layRooms(house: House, publicUrl: () => string): void {
  const personal = createPersonalIdentities()
  house.make(PARTS.personal, () => personal)
  house.make(PARTS.credentials, (h) =>
    createCredentials({ secrets: h.get(PARTS.store).secrets, identityOf: personal.of, bus: h.get(PARTS.host).bus }),
  )
  house.make(PARTS.pipeline, (h) => {
    const { bus } = h.get(PARTS.host)
    const catalog = h.get(PARTS.catalog)
    const sessions = h.get(PARTS.sessions)
    const limits = () => h.get(PARTS.snapshots).current().settings.limits
    const accessOf = (call: InSession | Routed) => h.get(PARTS.credentials).access(call.principal)
    const inspect = createInspect({
      rules: h.get(PARTS.rules),
      bus,
      raise: h.get(PARTS.raise),
      publicResult: (call, result) => publicResult(result, catalog.publicUris(call.plan, call.feature.assignment)),
    })
    return createPipeline(
      {
        authenticate: createAuthenticate(bus, h.get(PARTS.identities)),
        session: createSession(sessions),
        route: createRoute(catalog, accessOf),
        permit: createPermit(accessOf),
        inspectRequest: inspect.request,
        relay: inspect.relay,
        forward: createForward(h.get(PARTS.upstreams), limits),
        inspectResponse: inspect.response,
        list: createList(catalog, accessOf, bus, limits),
        answer: createAnswer({ version: VERSION, openSession: sessions.open }),
        respond: createRespond((name) => resourceMetadataUrl(publicUrl(), name)),
      },
      h.get(PARTS.recorder),
    )
  })
}
