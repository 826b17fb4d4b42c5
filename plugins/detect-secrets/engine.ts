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
import { ASSIGNMENT, ruleConfig, SECRETS } from './config.js'
import type { RuleConfig } from './config.js'
import { createScanner } from './scanner.js'
import type { Scanner } from './scanner.js'

/** Past this many findings in one message it does not go on: core would spend more on them than on the call. */
const MOST_FINDINGS = 100_000

export function prepare({ config, action }: Pick<PrepareRequest, 'config' | 'action'>): Prepared {
  const parsed = ruleConfig.safeParse(config)
  if (!parsed.success) {
    return { ok: false, errors: parsed.error.issues.map(({ message, path }) => ({ message, path: path.join('.') })) }
  }
  if (action === null) {
    return { ok: false, errors: [{ path: 'action', message: 'a rule that looks for secrets needs an action' }] }
  }
  return { ok: true, state: scannerFor(parsed.data), passes: 1 }
}

function scannerFor({ only, except, entropy, minEntropy }: RuleConfig): Scanner {
  const isWanted = (id: string) => (only === undefined || only.includes(id)) && except?.includes(id) !== true
  return createScanner({
    patterns: SECRETS.filter(({ id }) => isWanted(id)),
    assignments: entropy && isWanted(ASSIGNMENT) ? { minEntropy } : null,
  })
}

/** Answers at once. A text that holds none of the literals of its patterns costs one walk over it. */
export function evaluate({ state, leaves }: Pick<EvaluateRequest, 'state' | 'leaves'>): Evaluation {
  const scan = state as Scanner
  const findings: Finding[] = []
  for (const [index, leaf] of leaves.entries()) {
    scan(leaf, index, findings)
    if (findings.length > MOST_FINDINGS) return undecided(`more than ${MOST_FINDINGS} findings`)
  }
  return findings.length === 0 ? pass() : { verdict: 'findings', findings }
}

export function test({ config, action, text }: Pick<TestRequest, 'config' | 'action' | 'text'>): TestAnswer {
  const prepared = prepare({ config, action })
  if (!prepared.ok) return prepared
  return { ok: true, evaluation: evaluate({ state: prepared.state, leaves: [{ kind: 'value', text }] }) }
}
