import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import type { Hit } from './hits.js'
import type { NamedFeature, Neighbourhood } from './neighbourhood.js'

/** Checks by name; each can be switched off for itself. */
export const CHECKS = [
  'hidden_unicode',
  'confusable_letters',
  'lookalike_name',
  'instruction_to_model',
  'secrecy',
  'other_tools',
  'preference',
  'exfiltration',
  'encoded_text',
  'hidden_markup',
  'terminal_escape',
  'padding',
] as const
export type Check = (typeof CHECKS)[number]

/** One `high` is enough for a verdict, as are two `medium`; `low` alone never is. */
export type Severity = 'low' | 'medium' | 'high'

/** A feature as its server tells it, and who stands around it. */
export interface Subject {
  readonly kind: FeatureKind
  readonly definition: JsonObject
  /** What the same server shows, this one included: it may speak of it. */
  readonly siblings: readonly NamedFeature[]
  /** What the other servers of the gateway show. */
  readonly neighbours: Neighbourhood
}

export interface Suspicion {
  readonly check: Check
  /** Where in the definition, as a JSON path: `$.inputSchema.properties.note.description`. */
  readonly field: string
  readonly severity: Severity
  /** What is suspected and why; quotes at most a short excerpt, in printable ASCII. */
  readonly explanation: string
}

export interface Scan {
  readonly verdict: 'clean' | 'suspicious'
  readonly score: number
  readonly suspicions: readonly Suspicion[]
}

/** `name` is what the model calls or fills; `prose` is what it reads; `value` is what a schema offers it to send. */
export type Role = 'name' | 'prose' | 'value'

export interface Text {
  readonly path: string
  readonly role: Role
  readonly text: string
  /** Part of what the model is asked to send. */
  readonly isInput: boolean
}

/** A text as it came and as it is judged: without what cannot be seen, in plain letters, in lower case. */
export interface ReadText extends Text {
  readonly plain: string
  /** What is judged by its words: a name in words where it is long enough, a parameter's description with its name. */
  readonly said: string
  readonly hits: readonly Hit[]
}

export type Finding = Omit<Suspicion, 'check'>
export type RunCheck = (texts: readonly ReadText[], subject: Subject) => readonly Finding[]
