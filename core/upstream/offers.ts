import type { Era, Json, JsonObject } from '@gatehouse/sdk'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import { clip } from '../domain/clip.js'
import { isObject } from '../mcp/message.js'
import { slotKey } from './ability.js'
import type { Access } from './catalog-types.js'
import type { InfoOf, ServerInfos } from './server-infos.js'
import type { ServerInfo, Target } from './types.js'

/** What a gateway as a whole offers to one caller. */
export interface Offer {
  readonly capabilities: JsonObject
  /** Null when no server has any. */
  readonly instructions: string | null
}

export type Capability = 'tools' | 'prompts' | 'resources' | 'logging' | 'completions' | 'subscribe'

/** The capabilities and instructions of the servers that the caller may see, as those of one server. */
export interface Offers {
  /** Waits a moment for servers that nothing is known of yet. */
  of(plan: GatewayPlan, access: Access, era: Era): Promise<Offer>
  /** False only when it is known of every server of the gateway that it has no such thing. */
  mayHave(plan: GatewayPlan, access: Access, capability: Capability): boolean
}

/**
 * What a legacy client is told at `initialize` holds for its whole session, and is told but once: a command that is started for it
 * needs a second or two to say what it has (measured: 1.6 to 2.3 s on a busy machine). A modern client asks again.
 */
const PATIENCE: Readonly<Record<Era, number>> = Object.freeze({ legacy: 3_000, modern: 500 })
const LONGEST_TEXT = 4_096
const LONGEST_TEXTS = 16_384
/** Extensions that are relayed whatever the eras of the two sides. */
const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set(['io.modelcontextprotocol/ui'])
/** Extensions with methods of their own, which are not relayed. */
const NOT_RELAYED: ReadonlySet<string> = new Set(['io.modelcontextprotocol/tasks'])
/** What is offered for a server that has not said what it has: it may turn out to have any of them. */
const PRESUMED: JsonObject = Object.freeze({ tools: {}, prompts: {}, resources: {} })

interface Seen {
  readonly assignment: AssignmentPlan
  /** Null while nobody knows. */
  readonly info: ServerInfo | null
  /** Its instructions are meant for this caller, not for another one. */
  readonly isOwn: boolean
}

export function createOffers(infos: ServerInfos, patience = PATIENCE): Offers {
  const seen = (assignment: AssignmentPlan, of: InfoOf): Seen => {
    const own = infos.known(of)
    return { assignment, info: own ?? infos.knownToAny(of), isOwn: own !== null }
  }
  /** Servers whose features the caller is shown; one whose credential expired shows what it last had. */
  const visible = (plan: GatewayPlan, access: Access): Seen[] =>
    plan.assignments.flatMap((assignment) => {
      const target = access.target(assignment)
      if (!('state' in target)) return [seen(assignment, { server: target.server, key: slotKey(target) })]
      if (target.lastSeenAs === undefined) return []
      return [seen(assignment, { server: assignment.server, key: target.lastSeenAs })]
    })

  return {
    async of(plan, access, era) {
      const targets = plan.assignments
        .map((assignment) => access.target(assignment))
        .filter((target): target is Target => !('state' in target))
      await infos.learn(targets, patience[era])
      const shown = visible(plan, access)
      const isAlone = plan.assignments.length === 1
      return { capabilities: merge(shown, isAlone ? era : null), instructions: instructionsOf(shown) }
    },
    mayHave(plan, access, capability) {
      const shown = visible(plan, access)
      if (shown.length < plan.assignments.length || shown.length === 0) return true
      return shown.some(({ info }) => info === null || has(info.capabilities, capability))
    },
  }
}

function has(capabilities: JsonObject, capability: Capability): boolean {
  if (capability !== 'subscribe') return isObject(capabilities[capability])
  return isObject(capabilities.resources) && capabilities.resources.subscribe === true
}

/** The gateway changes lists itself, so it announces changes whether its servers do or not. */
function merge(shown: readonly Seen[], aloneIn: Era | null): JsonObject {
  const all = shown.map(({ info }) => info?.capabilities ?? PRESUMED)
  if (all.length === 0) all.push(PRESUMED)
  const any = (capability: Capability) => all.some((one) => has(one, capability))
  const lists = (['tools', 'prompts', 'resources'] as const).filter(any)
  const subscribe = any('subscribe') ? { subscribe: true } : {}
  const extensions = extensionsOf(shown, aloneIn)
  return {
    ...Object.fromEntries(
      lists.map((list) => [list, { listChanged: true, ...(list === 'resources' ? subscribe : {}) }]),
    ),
    ...(any('completions') ? { completions: {} } : {}),
    ...(any('logging') ? { logging: {} } : {}),
    ...(Object.keys(extensions).length > 0 ? { extensions } : {}),
  }
}

/** The first server's word on each; what nobody here knows passes only between two sides of one era. */
function extensionsOf(shown: readonly Seen[], aloneIn: Era | null): JsonObject {
  const merged: Record<string, Json> = {}
  for (const { info } of shown) {
    const own = info?.capabilities.extensions
    if (info === null || !isObject(own)) continue
    for (const [id, settings] of Object.entries(own)) {
      const passes = KNOWN_EXTENSIONS.has(id) || (info.era === aloneIn && !NOT_RELAYED.has(id))
      if (passes && isObject(settings)) merged[id] ??= settings
    }
  }
  return merged
}

function instructionsOf(shown: readonly Seen[]): string | null {
  const texts = shown.flatMap(({ assignment, info, isOwn }) => {
    const text = isOwn ? info?.instructions?.trim() : undefined
    return text ? [`## ${assignment.server.title || assignment.prefix}\n\n${clip(text, LONGEST_TEXT)}`] : []
  })
  return texts.length === 0 ? null : clip(texts.join('\n\n'), LONGEST_TEXTS)
}
