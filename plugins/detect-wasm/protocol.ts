import type { RuleAction } from '@gatehouse/sdk'
import type { RuleManifest } from '@gatehouse/sdk/rule-abi'
import type { Built, Ran, RuleBundle, RuleModule, VectorResult } from '@gatehouse/rule-sandbox'

/** What the threads are told and what they answer. All of it is plain data. */

/** A rule that every thread holds. */
export interface Held {
  readonly module: RuleModule
  readonly config: Readonly<Record<string, string>>
}

/** A rule of a chain, for one message. */
export interface Link {
  readonly key: number
  readonly action: RuleAction | null
  readonly shadow: boolean
  readonly wants: Wants
  /** What it has stored; null for one that remembers nothing. */
  readonly kv: readonly (readonly [string, string])[] | null
}

/** What a rule is shown of the message. */
export type Wants = 'message' | 'texts' | 'both'

export const wantsOf = ({ input }: Pick<RuleManifest, 'input'>): Wants =>
  input.length === 2 ? 'both' : (input[0] ?? 'message')
export const inputOfWants = (wants: Wants): RuleManifest['input'] => (wants === 'both' ? ['message', 'texts'] : [wants])

/** One message for all rules of a chain, in one buffer: where in it stands what those see that want it so. */
export interface ChainTask {
  readonly links: readonly Link[]
  readonly buffer: ArrayBuffer
  readonly parts: Readonly<Partial<Record<Wants, readonly [from: number, to: number]>>>
}

/** What came of a rule; null: the thread does not hold it. Findings count in UTF-16. It may be fewer than there are links. */
export type ChainAnswer = readonly (Ran | null)[]

/**
 * A task and its answer on their way: one text each, besides the buffer. That costs a fraction of what it takes to clone their many small
 * objects between threads.
 */
export interface SentTask {
  readonly text: string
  readonly buffer: ArrayBuffer
}
export type SentAnswer = string

export const sendTask = ({ buffer, links, parts }: ChainTask): SentTask => ({
  text: JSON.stringify({ links, parts }),
  buffer,
})
export const readTask = ({ text, buffer }: SentTask): ChainTask => ({
  ...(JSON.parse(text) as Pick<ChainTask, 'links' | 'parts'>),
  buffer,
})
export const sendAnswer = (answer: ChainAnswer): SentAnswer => JSON.stringify(answer)
export const readAnswer = (text: SentAnswer): ChainAnswer => JSON.parse(text) as ChainAnswer

/** What the thread that builds is told: with vectors, it runs those of the manifest too. */
export interface BuildTask {
  readonly bundle: RuleBundle
  readonly vectors: boolean
}
export interface BuiltAnswer {
  readonly built: Built
  readonly results: readonly VectorResult[]
}
