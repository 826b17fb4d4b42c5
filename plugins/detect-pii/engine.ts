import type {
  Evaluation,
  EvaluateRequest,
  Finding,
  Leaf,
  Prepared,
  PrepareRequest,
  TestAnswer,
  TestRequest,
} from '@gatehouse/sdk'
import { pass, undecided } from '@gatehouse/sdk'
import { ruleConfig } from './config.js'
import type { RuleConfig } from './config.js'
import { ENTITIES, isName } from './entities.js'
import type { Entity, Name } from './entities.js'
import { findPatterns, recognizersOf } from './patterns.js'
import type { Search } from './patterns.js'
import type { Pool } from './pool.js'
import type { Hits } from './worker.js'

export interface PiiEngine {
  prepare(request: Pick<PrepareRequest, 'config' | 'action'>): Prepared
  evaluate(request: Pick<EvaluateRequest, 'state' | 'leaves'>): Evaluation | Promise<Evaluation>
  test(request: Pick<TestRequest, 'config' | 'action' | 'text'>): Promise<TestAnswer>
}

export interface EngineOptions {
  readonly pool: Pool
  readonly workerDeadlineMs: number
}

/** Characters that are searched for patterns beside the calls: some milliseconds; more goes to a worker. */
const MOST_HERE = 8_192
/** Further time for each KiB of text, in a worker. */
const MS_FOR_EACH_KIB = 20
const LONGEST_MS = 25_000

/** A rule, made ready. */
interface State {
  readonly search: Search
  readonly patterns: readonly Entity[]
  readonly names: readonly Name[]
}

export function createEngine(options: EngineOptions): PiiEngine {
  const prepared = (request: Pick<PrepareRequest, 'config' | 'action'>) => prepare(options, request)
  const evaluate: PiiEngine['evaluate'] = ({ state, leaves }) => {
    const rule = state as State
    const isLong = sizeOf(leaves) > MOST_HERE
    const here = isLong ? [] : searchHere(rule, leaves)
    if (!isLong && rule.names.length === 0) return here.length === 0 ? pass() : { verdict: 'findings', findings: here }
    return searchThere(options, rule, leaves, { here, isLong })
  }
  return {
    prepare: prepared,
    evaluate,
    async test({ config, action, text }) {
      const ready = prepared({ config, action })
      if (!ready.ok) return ready
      return { ok: true, evaluation: await evaluate({ state: ready.state, leaves: [{ kind: 'value', text }] }) }
    },
  }
}

function prepare({ pool }: EngineOptions, { config, action }: Pick<PrepareRequest, 'config' | 'action'>): Prepared {
  const parsed = ruleConfig.safeParse(config)
  if (!parsed.success) {
    return { ok: false, errors: parsed.error.issues.map(({ message, path }) => ({ message, path: path.join('.') })) }
  }
  if (action === null) {
    return { ok: false, errors: [{ path: 'action', message: 'a rule that looks for personal data needs an action' }] }
  }
  const state = stateOf(parsed.data)
  if (state.names.length > 0) pool.warm()
  return { ok: true, state, passes: 1 }
}

function stateOf({ entities = [], threshold, context = [] }: RuleConfig): State {
  const wanted: readonly Entity[] = entities.length === 0 ? ENTITIES : entities
  const patterns = wanted.filter((entity) => !isName(entity))
  return {
    patterns,
    names: wanted.filter(isName),
    search: {
      recognizers: recognizersOf(new Set(patterns)),
      threshold,
      context: new Set(context.map((word) => word.toLowerCase())),
    },
  }
}

function searchHere({ search }: State, leaves: readonly Leaf[]): readonly Finding[] {
  const findings: Finding[] = []
  if (search.recognizers.length === 0) return findings
  for (const [leaf, { text }] of leaves.entries()) {
    for (const found of findPatterns(text, search)) findings.push({ ...found, leaf })
  }
  return findings
}

interface Share {
  readonly here: readonly Finding[]
  /** Nothing was searched here: the worker does it all. */
  readonly isLong: boolean
}

/** Names are looked for in values only: keys are none, and the whole message only says the same again. */
async function searchThere(
  { pool, workerDeadlineMs }: EngineOptions,
  state: State,
  leaves: readonly Leaf[],
  share: Share,
) {
  const asked: number[] = []
  for (const [index, { kind }] of leaves.entries()) if (kind === 'value') asked.push(index)
  const named = asked.length
  if (share.isLong) for (const [index, { kind }] of leaves.entries()) if (kind !== 'value') asked.push(index)
  const { names, patterns, search } = state
  const job = {
    texts: asked.map((leaf) => (leaves[leaf] as Leaf).text),
    named,
    names,
    patterns: share.isLong ? patterns : [],
    threshold: search.threshold,
    context: [...search.context],
  }
  const deadline = Math.min(LONGEST_MS, workerDeadlineMs + Math.ceil((sizeOf(leaves) / 1024) * MS_FOR_EACH_KIB))
  try {
    const there = findingsOf(await pool.run(job, deadline), asked)
    const findings = [...share.here, ...there]
    return findings.length === 0 ? pass() : ({ verdict: 'findings', findings } as const)
  } catch (thrown) {
    return undecided(thrown instanceof Error ? thrown.message : 'the worker failed')
  }
}

function findingsOf(hits: Hits, leaves: readonly number[]): readonly Finding[] {
  const findings: Finding[] = []
  const number = (at: number) => hits[at] as number
  for (let at = 0; at < hits.length; at += 5) {
    const type = ENTITIES[number(at)] as Entity
    const leaf = leaves[number(at + 1)] as number
    findings.push({ type, leaf, start: number(at + 2), end: number(at + 3), score: number(at + 4) })
  }
  return findings
}

function sizeOf(leaves: readonly Leaf[]): number {
  let size = 0
  for (const { text } of leaves) size += text.length
  return size
}
