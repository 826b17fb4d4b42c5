import type { Artifact, ConfigError, JsonObject, UserRef } from '@gatehouse/sdk'
import { holds } from '../domain/capabilities.js'
import type { EngineKind, OpenedEngine } from '../domain/engines.js'
import type { ManagedBy, Rule, Stored } from '../domain/nouns.js'
import type { Repository, Store } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import { invalid } from './problems.js'
import type { RuleInput } from './schemas.js'

/** Who changes the configuration. */
export interface Actor {
  /** Null for the operator's own file. */
  readonly userId: string | null
  /** `*` holds all. */
  readonly capabilities: ReadonlySet<string>
  /** What this actor makes is managed by it; what the file manages is read-only for `api`. */
  readonly managedBy: Exclude<ManagedBy, 'system'>
  /** True only for the file that the operator named at start: it may say which commands run on this machine. */
  readonly isOperator: boolean
}

/** The operator's own file, read by the gateway itself. */
export const OPERATOR: Actor = Object.freeze({
  userId: null,
  capabilities: new Set(['*']),
  managedBy: 'file',
  isOperator: true,
})

/** The gateway itself, where what it does was decided by whoever may: at a set-up link, for a provider, for a dead grant. */
export const GATEWAY: Actor = Object.freeze({
  userId: null,
  capabilities: new Set(['*']),
  managedBy: 'api',
  isOperator: false,
})

/** A person, at a page or at the admin API. */
export function actorOf({ id, capabilities }: Pick<UserRef, 'id' | 'capabilities'>): Actor {
  return { userId: id, capabilities, managedBy: 'api', isOperator: false }
}

/** What only the running gateway can tell of the plugins of one family. */
export interface PluginChecks {
  /** Plugins that are loaded. */
  readonly loaded: () => readonly string[]
  /** `config` with its secrets. */
  readonly check: (plugin: string, config: Readonly<Record<string, unknown>>) => Promise<readonly ConfigError[]>
  /** Keys of its configuration that a plugin declares as secret. */
  readonly secrets: (plugin: string) => readonly string[]
}

/** What was found out about an upload, or what is wrong with it. */
export type UploadAnswer =
  { readonly ok: true; readonly facts: JsonObject } | { readonly ok: false; readonly errors: readonly ConfigError[] }

/** What only the running gateway can tell about a configuration. */
export interface Checks {
  /** Kinds of engines that are loaded. */
  readonly engines: () => readonly EngineKind[]
  /** What the rule's engine says of it; the rule is not stored yet. `instance` is the stored engine that it names. */
  readonly checkRule: (
    rule: Rule,
    instance: OpenedEngine | null,
    artifact: Artifact | null,
  ) => Promise<readonly ConfigError[]>
  /** What an engine of this kind says of an artifact that was uploaded for it. Holds nothing afterwards. */
  readonly checkUpload: (kind: string, artifact: Artifact) => Promise<UploadAnswer>
  /** What a gateway has that is made without rules; told of those that do not fit. */
  readonly defaultRules: {
    readonly rules: readonly RuleInput[]
    readonly onSkipped: (rule: string, why: string) => void
  }
  /** Plugins that are loaded and deliver the record. */
  readonly exporters: () => readonly string[]
  /** `config` with its secrets. */
  readonly checkExporter: (plugin: string, config: Readonly<Record<string, unknown>>) => Promise<readonly ConfigError[]>
  /** Keys of its configuration that a plugin declares as secret. */
  readonly exporterSecrets: (plugin: string) => readonly string[]
  /** Plugins that are loaded and sign people in. */
  readonly idps: () => readonly string[]
  /** `config` with its secrets. */
  readonly checkIdp: (plugin: string, config: Readonly<Record<string, unknown>>) => Promise<readonly ConfigError[]>
  /** Keys of its configuration that a plugin declares as secret. */
  readonly idpSecrets: (plugin: string) => readonly string[]
  /** Plugins that deliver alerts. */
  readonly alertTargets: PluginChecks
  /** Throws GH_EGRESS_REFUSED for an address that the gateway may not call. */
  readonly checkUrl: (url: string) => Promise<void>
  /** Whether the admin API may add `command` servers (`GATEHOUSE_STDIO`). */
  readonly stdio: boolean
}

/** One change: on whose behalf, on which store (of one transaction), with what to ask. */
export interface Work {
  readonly store: Store
  readonly actor: Actor
  readonly checks: Checks
  readonly now: () => Date
  /** Identities (by slug) whose values the file that is applied brings along. */
  readonly renewed?: ReadonlySet<string>
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** By id or natural key. */
export async function lookUp<N extends Stored>(repository: Pick<Repository<N>, 'find' | 'byKey'>, reference: string) {
  const byId = UUID.test(reference) ? await repository.find(reference) : null
  return byId ?? repository.byKey(reference.toLowerCase())
}

/** What a request is about; absent is 404. */
export async function mustExist<N extends Stored>(
  repository: Pick<Repository<N>, 'find' | 'byKey'>,
  noun: string,
  reference: string,
): Promise<N> {
  const found = await lookUp(repository, reference)
  if (!found) throw absent(noun, reference)
  return found
}

export const absent = (noun: string, reference: string): GatehouseError =>
  new GatehouseError('GH_API_NOT_FOUND', { message: `no ${noun} '${reference}'` })

/** What a field refers to; absent is a fault of the field. */
export async function mustRefer<N extends Stored>(
  repository: Pick<Repository<N>, 'find' | 'byKey'>,
  field: string,
  reference: string,
): Promise<N> {
  const found = await lookUp(repository, reference)
  if (!found) throw invalid(field, `'${reference}' does not exist`)
  return found
}

/** Refuses a second one of the same key. */
export async function mustBeFree<N extends Stored>(repository: Repository<N>, noun: string, key: string) {
  if (await repository.byKey(key))
    throw conflict(`${noun} '${key}' exists already`, key.includes('@') ? 'email' : 'slug')
}

/** What the file manages is changed in the file; what the system made stays. */
export function mustBeMine(work: Work, noun: string, key: string, stored: Stored): void {
  if (work.actor.managedBy === 'api' && stored.managedBy === 'file')
    throw conflict(`${noun} '${key}' is managed by the file; change it there`)
}

/** Who manages a noun after this change: the system's stay the system's. */
export function managerAfter(work: Work, stored: Stored): { readonly managedBy: ManagedBy } {
  return { managedBy: stored.managedBy === 'system' ? 'system' : work.actor.managedBy }
}

export function conflict(message: string, field?: string): GatehouseError {
  return new GatehouseError('GH_API_CONFLICT', { message, data: field ? { field } : {} })
}

export function mustHold(work: Pick<Work, 'actor'>, capability: string): void {
  if (!holds(work.actor.capabilities, capability))
    throw new GatehouseError('GH_API_FORBIDDEN', { message: `Capability '${capability}' is required.` })
}

/** Nobody gives away or takes from others what they do not hold themselves. */
export function mustCover(work: Pick<Work, 'actor'>, capabilities: readonly string[], what: string): void {
  const missing = capabilities.find((key) => !holds(work.actor.capabilities, key))
  if (missing !== undefined)
    throw new GatehouseError('GH_API_FORBIDDEN', {
      message: `${what} holds more than you: ${missing === '*' ? 'every capability' : missing}`,
    })
}

/** Without the keys that were left out, so that they overwrite nothing. */
export function given<T extends object>(patch: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

/** Runs a check whose refusal is about one field. */
export async function forField<T>(field: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof GatehouseError) || error.data?.['field'] !== undefined) throw error
    throw new GatehouseError(error.code, {
      message: `${field}: ${error.message}`,
      data: { ...error.data, field },
      cause: error,
    })
  }
}
