import type { Finding, PluginFetch } from '@gatehouse/sdk'
import { readAnswer } from './answer.js'
import type { Wanted } from './answer.js'
import type { Instance } from './config.js'
import type { Attempt, Sending } from './exchange.js'
import { batchesOf } from './texts.js'
import type { Part } from './texts.js'

/** A prepared rule. */
export interface State {
  readonly instance: Instance
  readonly language: string
  readonly wanted: Wanted
  /** Set when the analyzer turned out to be too old to take several texts at once. */
  takesOne: boolean
}

export interface Analysis {
  readonly fetch: PluginFetch
  readonly send: (fetch: PluginFetch, sending: Sending) => Promise<Attempt>
  readonly signal: AbortSignal
  readonly until: number
}

export type Analyzed =
  { readonly ok: true; readonly findings: readonly Finding[] } | { readonly ok: false; readonly text: string }

/** Requests that are under way at a time, for one message. */
const AT_ONCE = 4
const NOT_AN_ANSWER = 'the analyzer answered what is not a list of findings'

/** Asks about all parts; one that fails fails them all. */
export async function analyze(analysis: Analysis, state: State, parts: readonly Part[]): Promise<Analyzed> {
  const batches = [...(state.takesOne ? parts.map((part) => [part]) : batchesOf(parts))]
  const findings: Finding[] = []
  let failure: string | null = null
  const work = async () => {
    for (let batch = batches.shift(); batch !== undefined && failure === null; batch = batches.shift()) {
      const answer = await askOne(analysis, state, batch)
      if (answer === 'tooOld') batches.push(...batch.map((part) => [part]))
      else if (answer.ok) findings.push(...answer.findings)
      else failure = answer.text
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, parts.length) }, work))
  return failure === null ? { ok: true, findings } : { ok: false, text: failure }
}

async function askOne(analysis: Analysis, state: State, batch: readonly Part[]): Promise<Analyzed | 'tooOld'> {
  const { fetch, send, signal, until } = analysis
  const texts = batch.map(({ text }) => text)
  const { entities, threshold } = state.wanted
  const body = {
    text: texts.length === 1 ? texts[0] : texts,
    language: state.language,
    score_threshold: threshold,
    ...(entities === null ? {} : { entities: [...entities] }),
  }
  const attempt = await send(fetch, { instance: state.instance, path: '/analyze', body, signal, until })
  if (!attempt.ok) {
    // Versions of old know no lists: they fail over one.
    if (batch.length === 1 || (attempt.status !== 400 && attempt.status !== 500))
      return { ok: false, text: attempt.text }
    state.takesOne = true
    return 'tooOld'
  }
  const findings = readAnswer(attempt.json, batch, state.wanted)
  return findings === null ? { ok: false, text: NOT_AN_ANSWER } : { ok: true, findings }
}
