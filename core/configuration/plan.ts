import { isDeepStrictEqual } from 'node:util'
import type { Store } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import type { ConfigurationFile } from './file.js'
import { differences, KINDS } from './kinds.js'
import type { Kind, NounName } from './kinds.js'
import { updateSettings } from './nouns/settings.js'
import type { Problem } from './problems.js'
import type { File } from './schemas.js'
import type { Work } from './work.js'

/** One difference between the file and what is there. `fields` of what is to be made or changed; values are never told. */
export interface Step {
  readonly op: 'create' | 'update' | 'remove'
  readonly noun: NounName | 'settings'
  readonly key: string
  readonly fields: readonly string[]
  /** What else is worth telling, such as the digest of a module that comes in the place of another. */
  readonly notes?: readonly string[]
}

/**
 * Makes everything be as the file says and answers what that took. What the file does not name is left alone, save with
 * `prune`, which removes what an earlier file made. The work belongs into one transaction: the first refusal ends it.
 */
export async function carryOut(work: Work, file: ConfigurationFile, content: File, prune: boolean): Promise<Step[]> {
  const steps: Step[] = []
  const brought = Object.entries(content.identities ?? {}).filter(([, { headers }]) => headers !== undefined)
  const inside = { ...work, renewed: new Set(brought.map(([slug]) => slug)) }
  const settings: Step[] = []
  for (const kind of KINDS) {
    // Roles are named in the settings; and whom the gateway believes may be said in one file with what they signed.
    if (kind.noun === 'artifacts') settings.push(...(await carryOutSettings(work, file, content.settings)))
    steps.push(...(await carryOutKind(inside, kind, file, content)))
  }
  steps.push(...settings)
  if (prune) for (const kind of KINDS.toReversed()) steps.push(...(await removeMissing(work, kind, content)))
  return steps
}

async function carryOutKind(work: Work, kind: Kind, file: ConfigurationFile, content: File): Promise<Step[]> {
  const { noun } = kind
  if (content[noun] === undefined) return []
  const steps: Step[] = []
  const present = await kind.present(work.store)
  for (const [key, wanted] of kind.wanted(content, present)) {
    const before = present.get(key)
    const fields = before ? differences(before.state, wanted.state) : Object.keys(content[noun]?.[key] ?? {})
    if (before && fields.length === 0) continue
    await at(file, wanted.place ?? [noun, key], () => (before ? wanted.update(work) : wanted.create(work)))
    const { notes = [] } = wanted
    steps.push({ op: before ? 'update' : 'create', noun, key, fields, ...(notes.length > 0 ? { notes } : {}) })
  }
  return steps
}

async function carryOutSettings(work: Work, file: ConfigurationFile, settings: File['settings']): Promise<Step[]> {
  if (settings === undefined) return []
  const before = await work.store.settings.get()
  const after = await at(file, ['settings'], () => updateSettings(work, settings))
  if (isDeepStrictEqual(before, after)) return []
  return [{ op: 'update', noun: 'settings', key: 'settings', fields: differences({ ...before }, { ...after }) }]
}

async function removeMissing(work: Work, kind: Kind, content: File): Promise<Step[]> {
  const { noun } = kind
  const gone = await missing(work.store, kind, content)
  for (const key of gone) await kind.remove(work, key)
  return gone.map((key) => ({ op: 'remove', noun, key, fields: [] }))
}

async function missing(store: Store, kind: Kind, content: File): Promise<string[]> {
  const present = [...(await kind.present(store))].filter(([, { managedBy }]) => managedBy === 'file')
  return present.map(([key]) => key).filter((key) => !Object.hasOwn(content[kind.noun] ?? {}, key))
}

/** Refusals of one thing name their place in the file. */
async function at<T>(file: ConfigurationFile, path: Problem['path'], work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof GatehouseError) || error.code === 'GH_DB_UNAVAILABLE') throw error
    const field = error.data?.['field']
    const inner = typeof field === 'string' ? field : ''
    const message =
      inner && error.message.startsWith(`${inner}: `) ? error.message.slice(inner.length + 2) : error.message
    const code = error.code === 'GH_API_INVALID' ? 'GH_CONFIG_INVALID' : error.code
    throw file.fault([{ path: [...path, ...readPath(inner)], message }], code)
  }
}

/** `servers[0].as` as a path. */
function readPath(field: string): (string | number)[] {
  const parts = field.match(/\[\d+\]|[^.[\]]+/g) ?? []
  return parts.map((part) => (part.startsWith('[') ? Number(part.slice(1, -1)) : part))
}
