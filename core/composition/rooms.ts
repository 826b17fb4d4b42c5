import { createRequestStates, REQUEST_STATE } from '../bridge/request-state.js'
import type { Inspected, InSession, Routed } from '../call.js'
import { asGatehouseError } from '../errors.js'
import { resourceMetadataUrl } from '../http/well-known.js'
import type { SessionListeners } from '../listening/sessions.js'
import { publicResult } from '../mcp/uris.js'
import { createPipeline, type OnRefused } from '../pipeline.js'
import { createAnswer } from '../rooms/answer.js'
import { createAuthenticate } from '../rooms/authenticate.js'
import { createForward, type ForwardOptions } from '../rooms/forward.js'
import { createConnect } from '../rooms/connect.js'
import { createHear, type HearOptions } from '../rooms/hear.js'
import { createInspect } from '../rooms/inspect.js'
import { createList } from '../rooms/list.js'
import { type MayHave, mustBeOffered, whereOffered } from '../rooms/offered.js'
import { createPermit } from '../rooms/permit.js'
import { createRespond } from '../rooms/respond.js'
import { createRoute } from '../rooms/route.js'
import { createSession, type EnterSession } from '../rooms/session.js'
import { createSubscribe } from '../rooms/subscribe.js'
import { createCredentials } from '../upstream/credentials.js'
import { createTokenSealer } from '../vault/seal-token.js'
import { type House, PARTS, type Surroundings, VERSION } from './house.js'

/** The rooms in the order of the corridor. */
export function layRooms(house: House, publicUrl: () => string, log: Surroundings['log']): void {
  // What a refusal does not tell the client: a cause of the unforeseen, else the detail alone (causes may quote a message).
  const onRefused: OnRefused = (correlationId, error) => {
    if (error.code === 'GH_INTERNAL') log.error({ correlationId, err: error.cause }, 'a call broke')
    else log.debug({ correlationId, code: error.code, detail: error.detail }, 'a call was refused')
  }
  house.make(PARTS.credentials, (h) =>
    createCredentials({
      secrets: h.get(PARTS.store).secrets,
      identityOf: h.get(PARTS.own).of,
      bus: h.get(PARTS.host).bus,
      bearer: h.get(PARTS.grants).bearer,
    }),
  )
  house.make(PARTS.pipeline, (h) => {
    const { bus } = h.get(PARTS.host)
    const catalog = h.get(PARTS.catalog)
    const sessions = h.get(PARTS.sessions)
    const lines = h.get(PARTS.lines)
    const limits = () => h.get(PARTS.snapshots).current().settings.limits
    const accessOf = (call: InSession | Routed | Inspected) =>
      h.get(PARTS.credentials).access(call.principal, call.ability)
    const offers = h.get(PARTS.offers)
    const offer = (call: InSession) => offers.of(call.plan, accessOf(call), call.era)
    const mayHave: MayHave = (call, capability) => offers.mayHave(call.plan, accessOf(call), capability)
    const inspect = createInspect({
      rules: h.get(PARTS.rules),
      bus,
      raise: h.get(PARTS.raise),
      seal: h.get(PARTS.bodySealer).seal,
      publicResult: (call, result) => publicResult(result, catalog.publicUris(call.plan, call.feature.assignment)),
    })
    const states = createRequestStates(createTokenSealer(h.get(PARTS.resources).masterKeys, REQUEST_STATE))
    const listeners = h.get(PARTS.listeners)
    const subscribe = createSubscribe({ update: sessions.update, attend: listeners.attend, watched: listeners.watched })
    return createPipeline(
      {
        authenticate: createAuthenticate(bus, h.get(PARTS.identities)),
        session: attending(createSession(sessions), listeners),
        route: whereOffered(createRoute(catalog, accessOf), mayHave),
        permit: createPermit(accessOf),
        connect: createConnect({ states, publicUrl }),
        inspectRequest: inspect.request,
        relay: inspect.relay,
        forward: createForward({
          upstreams: h.get(PARTS.upstreams),
          limits,
          parked: h.get(PARTS.parked),
          states,
          completions: h.get(PARTS.completions),
          replica: h.get(PARTS.replicas).id,
          errands: h.get(PARTS.errands),
          stillEnters: createStillEnters(h),
          definitionNow: async (call) => {
            const { assignment, publicName } = call.feature
            catalog.drop(assignment.server.id, ['tools'])
            await catalog.list(call.plan, 'tools', accessOf(call), call.deadline)
            return catalog.resolveNow(call.plan, 'tool', publicName, accessOf(call))?.definition ?? null
          },
        }),
        inspectResponse: inspect.response,
        hear: createHear({ lines, ...atAllReplicas(h) }),
        list: createList({ catalog, accessOf, mayHave, bus, limits }),
        answer: createAnswer({ version: VERSION, openSession: sessions.open, offer }),
        subscribe: {
          ...subscribe,
          set: async (call) => {
            mustBeOffered(call, mayHave)
            return subscribe.set(call)
          },
        },
        listen: h.get(PARTS.listen),
        respond: createRespond((name) => resourceMetadataUrl(publicUrl(), name)),
      },
      h.get(PARTS.refusals).door,
      onRefused,
    )
  })
}

/** A failure that says nothing of the caller's right (the database is away) ends nobody. */
function createStillEnters(house: House): ForwardOptions['stillEnters'] {
  const { bus } = house.get(PARTS.host)
  return async (credentials, gatewayId) => {
    try {
      const plan = house.get(PARTS.snapshots).current().gateways.get(gatewayId)
      if (plan === undefined) return false
      await house.get(PARTS.identities).resolve(await bus.first('auth.identify', credentials), plan)
      return true
    } catch (thrown) {
      return ![401, 403].includes(asGatehouseError(thrown).entry.http)
    }
  }
}

/** Whoever sends a message is there to be told of what it subscribed to. */
function attending(enter: EnterSession, { attend }: Pick<SessionListeners, 'attend'>): EnterSession {
  const attended = (call: InSession): InSession => {
    if (call.session !== null) attend(call.session, call.principal)
    return call
  }
  return (call) => {
    const entered = enter(call)
    return entered instanceof Promise ? entered.then(attended) : attended(entered)
  }
}

/** Calls and upstream sessions of one session may be at several replicas. */
function atAllReplicas(house: House): Pick<HearOptions, 'cancel' | 'upstreams'> {
  const [told, lines, upstreams] = [house.get(PARTS.told), house.get(PARTS.lines), house.get(PARTS.upstreams)]
  return {
    cancel(sessionId, requestId) {
      const found = lines.cancel(sessionId, requestId)
      if (found === null) told.tell(sessionId, { cancelled: requestId })
      return found
    },
    upstreams: {
      toldBySession(sessionId, note) {
        upstreams.toldBySession(sessionId, note)
        told.tell(sessionId, 'rootsChanged')
      },
    },
  }
}
