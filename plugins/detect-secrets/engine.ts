import type {
  Evaluation,
  EvaluateRequest,
  Finding,
  Prepared,
  PrepareRequest,
  TestAnswer,
  TestRequest,
} from '@gatehouse/sdk'
import { pass, undecided } from '@gatehouse/sdk'
import { ruleConfig } from './config.js'
import type { RuleConfig } from './config.js'
import type { Pool } from './pool.js'
import { scannerFor } from './scanner.js'
import type { Scanner } from './scanner.js'
import { MOST_FINDINGS, search } from './search.js'

export interface SecretsEngine {
  evaluate(request: Pick<EvaluateRequest, 'state' | 'leaves'>): Evaluation | Promise<Evaluation>
  test(request: Pick<TestRequest, 'config' | 'action' | 'text'>): Promise<TestAnswer>
}

/** A rule, made ready. */
interface State {
  readonly rule: RuleConfig
  readonly scan: Scanner
}

/** What a message may take beside the calls before a worker takes over: ordinary texts need a thousandth of it. */
const LONGEST_MS = 50
/** In a worker, and further time for each MiB of text. */
const DEADLINE_MS = 1_000
const MS_FOR_EACH_MIB = 1_000

export function prepare({ config, action }: Pick<PrepareRequest, 'config' | 'action'>): Prepared {
  const parsed = ruleConfig.safeParse(config)
  if (!parsed.success) {
    return { ok: false, errors: parsed.error.issues.map(({ message, path }) => ({ message, path: path.join('.') })) }
  }
  if (action === null) {
    return { ok: false, errors: [{ path: 'action', message: 'a rule that looks for secrets needs an action' }] }
  }
  const state: State = { rule: parsed.data, scan: scannerFor(parsed.data) }
  return { ok: true, state, passes: 1 }
}

/**
 * Answers at once where it can. A text that holds none of the literals of its patterns costs one walk over it; one that is made of
 * little else goes to a worker.
 */
export function createEngine(pool: Pick<Pool, 'run'>, longestMs = LONGEST_MS): SecretsEngine {
  const evaluate: SecretsEngine['evaluate'] = ({ state, leaves }) => {
    const { rule, scan } = state as State
    const found = search(scan, leaves, performance.now() + longestMs)
    if (found !== 'late') return evaluationOf(found === 'tooMany' ? null : found)
    const size = leaves.reduce((sum, { text }) => sum + text.length, 0)
    return pool
      .run({ rule, leaves }, DEADLINE_MS + Math.ceil((size / 1_048_576) * MS_FOR_EACH_MIB))
      .then(evaluationOf, (thrown: unknown) =>
        undecided(thrown instanceof Error ? thrown.message : 'the worker failed'),
      )
  }
  return {
    evaluate,
    async test({ config, action, text }) {
      const prepared = prepare({ config, action })
      if (!prepared.ok) return prepared
      return { ok: true, evaluation: await evaluate({ state: prepared.state, leaves: [{ kind: 'value', text }] }) }
    },
  }
}

function evaluationOf(found: readonly Finding[] | null): Evaluation {
  if (found === null) return undecided(`more than ${MOST_FINDINGS} findings`)
  return found.length === 0 ? pass() : { verdict: 'findings', findings: found }
}
