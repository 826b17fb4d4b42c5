import type { JsonObject } from '@gatehouse/sdk'
import { isObject } from '../mcp/message.js'

/**
 * What a server is told that its client can do: the capabilities that the gateway relays for a call. Interned: two
 * abilities of one key are the same object, and there are few, since only known capabilities are relayed: each has
 * connections and lists of its own.
 */
export interface Ability {
  /** Canonical; empty for a client that can do nothing. */
  readonly key: string
  readonly capabilities: JsonObject
}

export const NO_ABILITY: Ability = Object.freeze({ key: '', capabilities: Object.freeze({}) })

const APPS = 'io.modelcontextprotocol/ui'
const interned = new Map<string, Ability>([['', NO_ABILITY]])

/**
 * Relayed is what the client declared and its revision has: elicitation since 2025-06-18, its URL mode and tools in sampling
 * since 2025-11-25. An elicitation that names no mode means forms.
 */
export function abilityOf(declared: JsonObject, version: string): Ability {
  const { sampling, elicitation, roots, extensions } = declared
  const parts: [string, JsonObject][] = []
  if (isObject(sampling)) parts.push(['sampling', version < '2025-11-25' ? {} : known(sampling, ['tools', 'context'])])
  if (isObject(elicitation) && version >= '2025-06-18') parts.push(['elicitation', modesOf(elicitation, version)])
  if (isObject(roots)) parts.push(['roots', roots.listChanged === true ? { listChanged: true } : {}])
  if (isObject(extensions) && isObject(extensions[APPS]))
    parts.push(['extensions', { [APPS]: mimeTypesOf(extensions[APPS]) }])
  return parts.length === 0 ? NO_ABILITY : intern(Object.fromEntries(parts))
}

/** How connections and lists of one server are told apart: as whom it is called, and for what sort of client. */
export function slotKey({ key, ability }: { readonly key: string; readonly ability: Ability }): string {
  return ability.key === '' ? key : `${key} ${ability.key}`
}

/** Whether a slot is one of this credential, for whatever sort of client. */
export const isSeenAs = (slot: string, key: string): boolean => slot === key || slot.startsWith(`${key} `)

function intern(capabilities: JsonObject): Ability {
  const key = JSON.stringify(capabilities)
  const found = interned.get(key)
  if (found !== undefined) return found
  const made = Object.freeze({ key, capabilities: Object.freeze(capabilities) })
  interned.set(key, made)
  return made
}

/** What every app is, so far. */
const APP = 'text/html;profile=mcp-app'
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,40}\/[\w!#$&^.+-]{1,40}(?:;[\w-]{1,20}=[\w.-]{1,20})?$/
const MOST_TYPES = 4
const MOST_LISTS = 8
/** Lists with a type that is not known here, in the order in which they came. */
const others = new Set<string>()

/** The names of media types are free text: few of them are relayed, and of lists of them no more than a few either. */
function mimeTypesOf({ mimeTypes }: JsonObject): JsonObject {
  if (!Array.isArray(mimeTypes)) return {}
  const given = (mimeTypes as readonly unknown[]).filter((type) => typeof type === 'string' && MEDIA_TYPE.test(type))
  const named = [...new Set(given as readonly string[])].slice(0, MOST_TYPES).toSorted()
  const list = named.join(' ')
  const isKnown = named.every((type) => type === APP) || others.has(list)
  if (!isKnown && others.size < MOST_LISTS) others.add(list)
  return { mimeTypes: isKnown || others.has(list) ? named : named.filter((type) => type === APP) }
}

function modesOf(elicitation: JsonObject, version: string): JsonObject {
  if (version < '2025-11-25') return {}
  const modes = known(elicitation, ['form', 'url'])
  return Object.keys(modes).length === 0 ? { form: {} } : modes
}

function known(given: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name) => {
      return isObject(given[name]) ? [[name, {}]] : []
    }),
  )
}

/** Whether a client of this ability may be put this question; null when it may, else what it lacks. */
export function lacks(ability: Ability, method: string, params: JsonObject | undefined): JsonObject | null {
  const { sampling, elicitation, roots } = ability.capabilities
  switch (method) {
    case 'sampling/createMessage': {
      if (!isObject(sampling)) return { sampling: {} }
      const wantsTools = params?.tools !== undefined || params?.toolChoice !== undefined
      return wantsTools && !isObject(sampling.tools) ? { sampling: { tools: {} } } : null
    }
    case 'elicitation/create': {
      const mode = params?.mode === 'url' ? 'url' : 'form'
      if (!isObject(elicitation)) return { elicitation: { [mode]: {} } }
      const isBare = Object.keys(elicitation).length === 0
      return (isBare && mode === 'form') || isObject(elicitation[mode]) ? null : { elicitation: { [mode]: {} } }
    }
    case 'roots/list':
      return isObject(roots) ? null : { roots: {} }
    default:
      return { [method]: {} }
  }
}
