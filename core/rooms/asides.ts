import { randomUUID } from 'node:crypto'
import type { Alert, CallContext, Era, FeatureKind, JsonObject, Principal } from '@gatehouse/sdk'
import type { Completions } from '../bridge/completions.js'
import { named } from '../bridge/named.js'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import { GatehouseError } from '../errors.js'
import { readNote } from '../mcp/message.js'
import type { OnProgress, QuestionAnswer } from '../mcp/questions.js'
import { hears } from '../mcp/log-levels.js'
import type { SessionLines } from '../mcp/session-lines.js'
import { NO_FEATURE } from '../rules/engines.js'
import type { Rules } from '../rules/rules.js'
import type { Conversation, Party, Target } from '../upstream/types.js'

/** Where something is said outside of any call. */
export interface Place {
  readonly plan: GatewayPlan
  readonly assignment: AssignmentPlan
  readonly principal: Principal
  /** The client's; legacy unless told. */
  readonly era?: Era
  /** What it is about; any tool unless told. */
  readonly feature?: { readonly kind: FeatureKind; readonly name: string }
}

export interface AsidesOptions {
  readonly rules: Rules
  readonly raise: (alert: Alert) => void
  readonly gateway: (id: string) => GatewayPlan | undefined
  readonly lines: Pick<SessionLines, 'note' | 'ask'>
  /** The least level of log notes that a session's client wants; undefined: all. */
  readonly levelOf: (sessionId: string) => string | undefined
  readonly completions: Pick<Completions, 'done'>
}

/** What servers and legacy clients say to each other outside of any call, through the rules of their gateway. */
export interface Asides {
  /** What the rules leave of the content; null when one blocks it. */
  pass(place: Place, leg: 'request' | 'response', content: JsonObject): Promise<JsonObject | null>
  note(target: Target, note: JsonObject, party: Party | null): Promise<void>
  question(party: Party, target: Target, ...asked: Parameters<Conversation['onQuestion']>): Promise<QuestionAnswer>
}

const QUESTION_MS = 600_000
const BLOCKED: QuestionAnswer = { error: { code: -32603, message: 'Blocked by policy' } }

export function createAsides({ rules, raise, gateway, lines, levelOf, completions }: AsidesOptions): Asides {
  async function pass(place: Place, leg: 'request' | 'response', content: JsonObject): Promise<JsonObject | null> {
    const { plan, assignment, feature } = place
    const subject = {
      prefix: assignment.prefix,
      serverSlug: assignment.server.slug,
      kind: feature?.kind ?? ('tool' as const),
      shape: 'tool' as const,
      feature: feature?.name ?? NO_FEATURE,
      context: () => contextOf(place),
      header: () => undefined,
    }
    const seen = { structuredContent: content }
    const outcome = await (leg === 'request'
      ? rules.inspectRequest(plan.rules, subject, seen)
      : rules.inspectResponse(plan.rules, subject, seen))
    for (const alert of outcome.alerts) raise(alert)
    if (outcome.kind === 'blocked') return null
    return outcome.kind === 'pass' ? content : (outcome.message.structuredContent as JsonObject)
  }

  /** As whom the server stands behind the session's gateway; none once that, or its use of the server, is gone. */
  function placesOf({ gatewayId, principal }: Party, { server }: Target): readonly Place[] {
    const plan = gateway(gatewayId)
    const own = plan?.assignments.filter((one) => one.server.id === server.id) ?? []
    return plan === undefined ? [] : own.map((assignment) => ({ plan, assignment, principal }))
  }

  /** It can be any of them that speaks: what each of them may say is said. */
  async function passAll(
    places: readonly Place[],
    leg: 'request' | 'response',
    content: JsonObject,
  ): Promise<JsonObject | null> {
    let left: JsonObject | null = content
    for (const place of places) left = left === null ? null : await pass(place, leg, left)
    return left
  }

  /** The answer as the rules leave it, a refusal's words like any others. */
  async function ruled(places: readonly Place[], answer: QuestionAnswer): Promise<QuestionAnswer> {
    const isResult = 'result' in answer
    const left = await passAll(places, 'request', isResult ? answer.result : { message: answer.error.message })
    if (left === null) return BLOCKED
    return isResult ? { result: left } : { error: { code: answer.error.code, message: String(left.message) } }
  }

  return {
    pass,
    async note(target, aside, party) {
      const note = readNote(aside)
      if (note === null) return
      const { method, params } = note
      if (method === 'notifications/elicitation/complete' && typeof params?.elicitationId === 'string')
        completions.done(target.server.id, params.elicitationId)
      const places = party === null ? [] : placesOf(party, target)
      if (party === null || places.length === 0 || !hears(levelOf(party.sessionId), aside)) return
      const left = params === undefined ? params : await passAll(places, 'response', params)
      if (left !== null)
        lines.note(party.sessionId, { jsonrpc: '2.0', method, ...(left === undefined ? {} : { params: left }) })
    },
    async question(party, target, question, signal, toServer) {
      const places = placesOf(party, target)
      const [place] = places
      if (place === undefined) return BLOCKED
      const left = question.params === undefined ? undefined : await passAll(places, 'response', question.params)
      if (left === null) return BLOCKED
      const asked = named(left === undefined ? question : { ...question, params: left }, place.plan, place.assignment)
      const onProgress: OnProgress | undefined =
        toServer &&
        (async (told) => {
          const passed = await passAll(places, 'request', told)
          if (passed !== null) await toServer(passed)
        })
      try {
        const answer = await lines.ask(party.sessionId, asked, {
          deadline: Date.now() + QUESTION_MS,
          signal,
          onProgress,
        })
        return await ruled(places, answer)
      } catch (thrown) {
        const isSilent = thrown instanceof GatehouseError && thrown.code === 'GH_FORWARD_UNANSWERED'
        if (isSilent && question.method === 'elicitation/create') return { result: { action: 'cancel' } }
        throw thrown
      }
    },
  }
}

function contextOf({ plan, assignment, principal, era = 'legacy', feature }: Place): CallContext {
  return {
    correlationId: randomUUID(),
    method: 'notifications/message',
    rpcId: null,
    era,
    gateway: { id: plan.gateway.id, slug: plan.gateway.slug },
    server: { id: assignment.server.id, slug: assignment.server.slug },
    feature: feature ?? null,
    user: principal.user === null ? null : { id: principal.user.id, email: principal.user.email },
    host: { id: principal.host.id, name: principal.host.name },
    connection: { id: principal.connection.id },
    attributes: principal.attributes,
  }
}
