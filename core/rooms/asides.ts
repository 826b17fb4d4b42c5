import { randomUUID } from 'node:crypto'
import type { Alert, CallContext, JsonObject, Principal } from '@gatehouse/sdk'
import type { Completions } from '../bridge/completions.js'
import type { CancelSignal } from '../domain/cancel-signal.js'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import { isObject } from '../mcp/message.js'
import type { Question, QuestionAnswer } from '../mcp/questions.js'
import type { SessionLines } from '../mcp/session-lines.js'
import type { Rules } from '../rules/rules.js'
import type { Party, Target } from '../upstream/types.js'

/** Where something is said outside of any call. */
export interface Place {
  readonly plan: GatewayPlan
  readonly assignment: AssignmentPlan
  readonly principal: Principal
}

export interface AsidesOptions {
  readonly rules: Rules
  readonly raise: (alert: Alert) => void
  readonly gateway: (id: string) => GatewayPlan | undefined
  readonly lines: Pick<SessionLines, 'note' | 'ask'>
  readonly completions: Pick<Completions, 'done'>
}

/** What servers and legacy clients say to each other outside of any call, through the rules of their gateway. */
export interface Asides {
  /** What the rules leave of the content; null when one blocks it. */
  pass(place: Place, leg: 'request' | 'response', content: JsonObject): Promise<JsonObject | null>
  note(target: Target, note: JsonObject, party: Party | null): Promise<void>
  question(party: Party, target: Target, question: Question, signal: CancelSignal): Promise<QuestionAnswer>
}

const QUESTION_MS = 600_000
const BLOCKED: QuestionAnswer = { error: { code: -32603, message: 'Blocked by policy' } }

export function createAsides({ rules, raise, gateway, lines, completions }: AsidesOptions): Asides {
  async function pass(place: Place, leg: 'request' | 'response', content: JsonObject): Promise<JsonObject | null> {
    const { plan, assignment } = place
    const subject = {
      prefix: assignment.prefix,
      serverSlug: assignment.server.slug,
      kind: 'tool' as const,
      feature: '',
      context: () => contextOf(place),
    }
    const seen = { structuredContent: content }
    const outcome = await (leg === 'request'
      ? rules.inspectRequest(plan.rules, subject, seen)
      : rules.inspectResponse(plan.rules, subject, seen))
    for (const alert of outcome.alerts) raise(alert)
    if (outcome.kind === 'blocked') return null
    return outcome.kind === 'pass' ? content : (outcome.message.structuredContent as JsonObject)
  }

  /** Null once the gateway or its use of the server is gone. */
  function placeOf({ gatewayId, principal }: Party, { server }: Target): Place | null {
    const plan = gateway(gatewayId)
    const assignment = plan?.assignments.find((one) => one.server.id === server.id)
    return plan === undefined || assignment === undefined ? null : { plan, assignment, principal }
  }

  return {
    pass,
    async note(target, note, party) {
      const { method } = note
      const params = isObject(note.params) ? note.params : undefined
      if (method === 'notifications/elicitation/complete' && typeof params?.elicitationId === 'string')
        completions.done(target.server.id, params.elicitationId)
      const place = party === null ? null : placeOf(party, target)
      if (party === null || place === null || typeof method !== 'string') return
      const left = params === undefined ? params : await pass(place, 'response', params)
      if (left !== null)
        lines.note(party.sessionId, { jsonrpc: '2.0', method, ...(left === undefined ? {} : { params: left }) })
    },
    async question(party, target, question, signal) {
      const place = placeOf(party, target)
      if (place === null) return BLOCKED
      const left = question.params === undefined ? undefined : await pass(place, 'response', question.params)
      if (left === null) return BLOCKED
      const asked = left === undefined ? question : { ...question, params: left }
      const answer = await lines.ask(party.sessionId, asked, { deadline: Date.now() + QUESTION_MS, signal })
      if ('error' in answer) return answer
      const result = await pass(place, 'request', answer.result)
      return result === null ? BLOCKED : { result }
    },
  }
}

function contextOf({ plan, assignment, principal }: Place): CallContext {
  return {
    correlationId: randomUUID(),
    method: 'notifications/message',
    era: 'legacy',
    gateway: { id: plan.gateway.id, slug: plan.gateway.slug },
    server: { id: assignment.server.id, slug: assignment.server.slug },
    feature: null,
    user: principal.user === null ? null : { id: principal.user.id, email: principal.user.email },
    host: { id: principal.host.id, name: principal.host.name },
    attributes: principal.attributes,
  }
}
