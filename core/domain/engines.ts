import type { ConfigError, EngineDeclaration, EngineInstance } from '@gatehouse/sdk'
import type { z } from 'zod'

/** A kind of engine that is loaded. */
export interface EngineKind {
  readonly kind: string
  /** Id of the plugin that serves it. */
  readonly plugin: string
  readonly declaration: EngineDeclaration
  /** How an instance is configured; null for kinds that rules name themselves. */
  readonly instance: EngineInstanceShape | null
}
export interface EngineInstanceShape {
  readonly schema: z.ZodType
  /** Keys whose values are sealed: each a text or a record of texts. */
  readonly secret: readonly string[]
}

/** A stored engine with its secrets: never to be shown. */
export interface OpenedEngine extends EngineInstance {
  readonly kind: string
}

/** What a rule's `engine` leads to: a kind, and the instance where the kind has them. */
export interface FoundEngine {
  readonly kind: EngineKind
  readonly instance: OpenedEngine | null
}

/** The kind and the instance that a name stands for, or what is wrong with it. An instance of the name comes first. */
export function findEngine(
  name: string,
  kinds: readonly EngineKind[],
  instance: OpenedEngine | null,
): FoundEngine | ConfigError {
  const kind = kinds.find((each) => each.kind === (instance?.kind ?? name))
  if (instance !== null && kind === undefined)
    return { path: 'engine', message: `the engine ${name} is a ${instance.kind}, and no plugin for those is loaded` }
  if (kind === undefined) return { path: 'engine', message: `there is no engine “${name}”` }
  if (instance === null && kind.instance !== null)
    return { path: 'engine', message: `there is more than one ${name}: name an engine of that kind` }
  return { kind, instance: kind.instance === null ? null : instance }
}
