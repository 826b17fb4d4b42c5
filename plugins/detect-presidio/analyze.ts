import { exchange } from '@gatehouse/sdk'
import type { Finding, PluginFetch, PluginResponse } from '@gatehouse/sdk'
import { readAnswer } from './answer.js'
import type { Wanted } from './answer.js'
import type { Instance } from './config.js'
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
  readonly signal: AbortSignal
  readonly until: number
  /** False: one attempt, whatever comes of it. */
  readonly retries: boolean
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
  let isOld = false
  const work = async () => {
    for (let batch = batches.shift(); batch !== undefined && failure === null; batch = batches.shift()) {
      const answer = await askOne(analysis, state, batch)
      if (answer === 'tooOld') {
        isOld = true
        batches.push(...batch.map((part) => [part]))
      } else if (answer.ok) findings.push(...answer.findings)
      else failure = answer.text
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, parts.length) }, work))
  if (failure !== null) return { ok: false, text: failure }
  // One text alone may have been what it failed over: remembered only when all went well one by one.
  state.takesOne ||= isOld
  return { ok: true, findings }
}

async function askOne(analysis: Analysis, state: State, batch: readonly Part[]): Promise<Analyzed | 'tooOld'> {
  const texts = batch.map(({ text }) => text)
  const { entities, threshold } = state.wanted
  const body = {
    text: texts.length === 1 ? texts[0] : texts,
    language: state.language,
    score_threshold: threshold,
    ...(entities === null ? {} : { entities: [...entities] }),
  }
  const answer = await ask(analysis, state.instance, '/analyze', body)
  if (!answer.ok) {
    // Versions of old know no lists: they fail over one.
    const mayBeOld = batch.length > 1 && (answer.status === 400 || answer.status === 500)
    return mayBeOld ? 'tooOld' : { ok: false, text: answer.text }
  }
  const findings = readAnswer(answer.json, batch, state.wanted)
  return findings === null ? { ok: false, text: NOT_AN_ANSWER } : { ok: true, findings }
}

export type Asked =
  | { readonly ok: true; readonly json: unknown }
  | { readonly ok: false; readonly text: string; readonly status: number | null }

const MOST_BYTES = 16 * 1024 * 1024
/** A 500 is what the analyzer says to what it cannot read: it would say so again. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** Asks below the analyzer's address; posts when there is a body. What is said of a failure holds nothing of the message. */
export async function ask(analysis: Analysis, instance: Instance, path: string, body?: object): Promise<Asked> {
  const { fetch, ...limits } = analysis
  const headers = Object.fromEntries(
    Object.entries(instance.headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const posted = {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
  const init = () => ({ ...(body === undefined ? { method: 'GET', headers } : posted), maxBytes: MOST_BYTES })
  const url = `${baseOf(instance.url)}${path}`
  const exchanged = await exchange(fetch, { url, init, passing: PASSING, ...limits })
  if (!exchanged.ok) return { ok: false, text: exchanged.message, status: exchanged.status }
  const json = jsonOf(exchanged.response)
  return json === undefined ? { ok: false, text: NOT_AN_ANSWER, status: null } : { ok: true, json }
}

/** The address with or without a slash at its end, or of `/analyze` itself. */
const baseOf = (url: string) => url.replace(/\/(?:analyze\/?)?$/, '')

function jsonOf(response: PluginResponse): unknown {
  try {
    return response.json()
  } catch {
    return undefined
  }
}
