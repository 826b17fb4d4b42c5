import type { RuleAction } from '@gatehouse/sdk'
import type { RuleManifest } from '@gatehouse/sdk/rule-abi'
import type { Built, Ran, RuleBundle, RuleModule, VectorResult } from '@gatehouse/rule-sandbox'
import type { Parcel, Texts } from '@gatehouse/sdk/workers'

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
  /** Of one that has been ended lately: it is ended from within, so that it costs no thread. */
  readonly mostMs?: number
}

/** What a rule is shown of the message. */
export type Wants = 'message' | 'texts' | 'both'

export const wantsOf = ({ input }: Pick<RuleManifest, 'input'>): Wants =>
  input.length === 2 ? 'both' : (input[0] ?? 'message')
export const inputOfWants = (wants: Wants): RuleManifest['input'] => (wants === 'both' ? ['message', 'texts'] : [wants])

/** One message for all rules of a chain: what those see that want it so, as the JSON that they read. */
export interface ChainTask {
  readonly links: readonly Link[]
  readonly shown: Shown
}

export type Shown = readonly (readonly [wants: Wants, json: string])[]

/** What came of a rule; null: the thread does not hold it. Findings count in UTF-16. It may be fewer than there are links. */
export type ChainAnswer = readonly (Ran | null)[]

/** The same on its way to the thread: what it is asked, and behind it what is shown, in the order that it names. */
interface Head {
  readonly links: readonly Link[]
  readonly wants: readonly Wants[]
}

export const sendTask = ({ links, shown }: ChainTask): Texts => [
  JSON.stringify({ links, wants: shown.map(([wants]) => wants) } satisfies Head),
  ...shown.map(([, json]) => json),
]

/** A task as its thread has it. */
export interface ReadTask {
  readonly links: readonly Link[]
  /** What is shown to those that want it so, in UTF-8. */
  bytes(wants: Wants): Uint8Array
}

export function readTask(parcel: Parcel): ReadTask {
  const { links, wants } = JSON.parse(parcel.text(0)) as Head
  const read = new Map<Wants, Uint8Array>()
  return {
    links,
    bytes(one) {
      const bytes = read.get(one) ?? parcel.bytes(1 + wants.indexOf(one))
      read.set(one, bytes)
      return bytes
    },
  }
}

export const sendAnswer = (answer: ChainAnswer): string => JSON.stringify(answer.map(shorten))
export const readAnswer = (text: string): ChainAnswer => (JSON.parse(text) as (Short | null)[]).map(lengthen)

/** Of most runs no more is written out: they do nothing besides. */
type Short = Pick<Ran, 'answer' | 'failure' | 'fuel' | 'ms' | 'memoryPages' | 'outputBytes'> & Partial<Ran>

function shorten(ran: Ran | null): Short | null {
  if (ran === null) return null
  const { log, dropped, counters, reads, writes } = ran
  const isAll = log.length > 0 || dropped > 0 || writes.length > 0 || !isEmpty(counters) || !isEmpty(reads)
  if (isAll) return ran
  const { answer, failure, fuel, ms, memoryPages, outputBytes } = ran
  return { answer, failure, fuel, ms, memoryPages, outputBytes }
}

/** Key by key: a copy by spreading takes several times as long, and this is done for each rule of each message. */
function lengthen(ran: Short | null): Ran | null {
  if (ran === null) return null
  return {
    answer: ran.answer,
    failure: ran.failure,
    fuel: ran.fuel,
    ms: ran.ms,
    memoryPages: ran.memoryPages,
    outputBytes: ran.outputBytes,
    log: ran.log ?? [],
    dropped: ran.dropped ?? 0,
    counters: ran.counters ?? {},
    reads: ran.reads ?? {},
    writes: ran.writes ?? [],
  }
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false
  return true
}

/** What the thread that builds is told: with vectors, it runs those of the manifest too. */
export interface BuildTask {
  readonly bundle: RuleBundle
  readonly vectors: boolean
}
export interface BuiltAnswer {
  readonly built: Built
  readonly results: readonly VectorResult[]
}
