import type {
  ConfigError,
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
import { PATTERNS } from '@gatehouse/sdk/patterns'
import { ruleConfig } from './config.js'
import { compilePattern, compileReady } from './pattern.js'
import type { Pattern } from './pattern.js'
import type { Pool } from './pool.js'
import { MOST_HITS, scan } from './scan.js'
import type { Hits, Scanned } from './scan.js'
import { isSteep, LONGEST_RUN } from './steep.js'
import { viewOf } from './view.js'
import type { View } from './view.js'
import { scanWindows } from './windows.js'

export interface RegexEngine {
  prepare(request: Pick<PrepareRequest, 'config' | 'action'>): Prepared
  evaluate(request: Pick<EvaluateRequest, 'state' | 'pass' | 'leaves'>): Evaluation | Promise<Evaluation>
  test(request: Pick<TestRequest, 'config' | 'action' | 'text'>): Promise<TestAnswer>
}

export interface EngineOptions {
  readonly pool: Pool
  /** False when V8 cannot be relied on: every pattern then runs in the pool. */
  readonly linear: boolean
  readonly workerDeadlineMs: number
}

/** Characters times weight that may run beside the calls: some tens of milliseconds when V8 has to go the slow way. */
const MOST_WORK = 1_000_000
/** What a pattern may take beside the calls before a worker takes over. */
const LONGEST_MS = 25
/** What all patterns of all rules together may take beside the calls for one message; the rest is for a worker. */
const LONGEST_ALL_MS = 50
/** Longer texts are not brought into lower case beside the calls. */
const MOST_LOWERED = 4 * 1_048_576
/** Further time for each MiB of text, in a worker. */
const MS_FOR_EACH_MIB = 250

export function createEngine(options: EngineOptions): RegexEngine {
  const evaluate: RegexEngine['evaluate'] = ({ state, pass: index, leaves }) => {
    const pattern = (state as readonly Pattern[])[index]
    if (pattern === undefined) return undecided('there is no such pass')
    const view = viewOf(leaves)
    if (isOut(pattern, view)) return pass()
    return scanHere(pattern, leaves, view) ?? scanThere(options, pattern, leaves)
  }
  return {
    prepare: (request) => prepare(options, request),
    evaluate,
    async test({ config, action, text }) {
      const prepared = prepare(options, { config, action })
      if (!prepared.ok) return prepared
      const findings: Finding[] = []
      for (let index = 0; index < prepared.passes; index += 1) {
        const leaves = [{ kind: 'value', text } as const]
        const evaluation = await evaluate({ state: prepared.state, pass: index, leaves })
        if (evaluation.verdict === 'findings') findings.push(...evaluation.findings)
        else if (evaluation.verdict !== 'pass') return { ok: true, evaluation }
      }
      return { ok: true, evaluation: { verdict: 'findings', findings } }
    },
  }
}

function prepare(
  { pool, linear }: EngineOptions,
  { config, action }: Pick<PrepareRequest, 'config' | 'action'>,
): Prepared {
  const parsed = ruleConfig.safeParse(config)
  if (!parsed.success) {
    return { ok: false, errors: parsed.error.issues.map(({ message, path }) => ({ message, path: path.join('.') })) }
  }
  const errors: ConfigError[] = []
  if (action === null) errors.push({ path: 'action', message: 'a rule with patterns needs an action' })
  const patterns: Pattern[] = []
  for (const [index, text] of (parsed.data.patterns ?? []).entries()) {
    const compiled = compilePattern(text, index, linear)
    if ('message' in compiled) errors.push(compiled)
    else patterns.push(compiled)
  }
  if (errors.length > 0) return { ok: false, errors }
  const wanted = new Set(parsed.data.library)
  const ready = PATTERNS.filter(({ id, group }) => wanted.has(id) || wanted.has(group))
  patterns.push(...ready.map((one) => compileReady(one, linear)))
  if (patterns.some(({ regexp }) => regexp === null)) pool.warm()
  return { ok: true, state: patterns, passes: patterns.length }
}

/** Whether a match is out of the question, told by what all texts together do not hold. */
function isOut({ needs }: Pattern, view: View): boolean {
  if (needs === null || view.size > MOST_LOWERED) return false
  const lower = view.lower()
  return !needs.some((text) => lower.includes(text))
}

/** Scans at once; null when that is not for here: not proven linear, too much text, or it takes too long. */
function scanHere(pattern: Pattern, leaves: readonly Leaf[], view: View): Evaluation | null {
  const { regexp, weight, windows, check } = pattern
  if (regexp === null || view.spentMs > LONGEST_ALL_MS) return null
  const began = performance.now()
  const until = began + LONGEST_MS
  try {
    if (windows !== null) {
      const scan = { regexp, windows, check, longest: LONGEST_RUN, until }
      return scanAll(pattern, leaves, (text, leaf, hits) => scanWindows(scan, text, leaf, hits))
    }
    if (view.size * weight > MOST_WORK || isSteep(view.joined, pattern.loops)) return null
    regexp.lastIndex = 0
    if (pattern.joins && !regexp.test(view.joined)) return pass()
    return scanAll(pattern, leaves, (text, leaf, hits) => scan(regexp, text, leaf, hits, { check, until }), until)
  } catch {
    // A text can exhaust the stack of the engine that goes back.
    return null
  } finally {
    view.spentMs += performance.now() - began
  }
}

type ScanOne = (text: string, leaf: number, hits: Hits) => Scanned | 'tooLong'

function scanAll({ type }: Pattern, leaves: readonly Leaf[], one: ScanOne, until = Infinity): Evaluation | null {
  const hits: Hits = []
  for (let index = 0; index < leaves.length; index += 1) {
    if ((index & 7) === 7 && performance.now() > until) return null
    const scanned = one((leaves[index] as Leaf).text, index, hits)
    if (scanned === 'tooMany') return undecided(`more than ${MOST_HITS} matches`)
    if (scanned !== 'done') return null
  }
  return hits.length === 0 ? pass() : findingsOf(hits, type)
}

async function scanThere({ pool, workerDeadlineMs }: EngineOptions, pattern: Pattern, leaves: readonly Leaf[]) {
  const { size, joined } = viewOf(leaves)
  const { source, flags, regexp, type, loops, check } = pattern
  const deadline = workerDeadlineMs + Math.ceil((size / 1_048_576) * MS_FOR_EACH_MIB)
  const texts = leaves.map(({ text }) => text)
  try {
    const hits = await pool.run(
      { source, flags, linear: regexp !== null, steep: isSteep(joined, loops), check, texts },
      deadline,
    )
    return hits.length === 0 ? pass() : findingsOf(hits, type)
  } catch (thrown) {
    return undecided(thrown instanceof Error ? thrown.message : 'the worker failed')
  }
}

function findingsOf(hits: Hits, type: string): Evaluation {
  const findings: Finding[] = []
  for (let at = 0; at < hits.length; at += 3) {
    findings.push({
      type,
      leaf: hits[at] as number,
      start: hits[at + 1] as number,
      end: hits[at + 2] as number,
      score: 1,
    })
  }
  return { verdict: 'findings', findings }
}
