import { checkConfusableLetters } from './checks/confusable-letters.js'
import { checkHiddenUnicode } from './checks/hidden-unicode.js'
import { checkLookalikeName } from './checks/lookalike-name.js'
import { checkOtherTools } from './checks/other-tools.js'
import { checkPreference } from './checks/preference.js'
import { checkSecrecy } from './checks/secrecy.js'
import { checkMarkup, checkPadding, checkTerminal } from './checks/surface.js'
import { checkWords } from './checks/words.js'
import { readTexts } from './read.js'
import { textsOf } from './texts.js'
import { CHECKS } from './types.js'
import type { Check, RunCheck, Scan, Severity, Subject, Suspicion } from './types.js'

export interface ScanOptions {
  /** Checks that are switched off. */
  readonly off?: readonly Check[]
}

const WEIGHTS: Readonly<Record<Severity, number>> = { low: 10, medium: 50, high: 100 }
const SUSPICIOUS = 100
const MOST_SUSPICIONS = 20

const RUNS: readonly (readonly [Check, RunCheck])[] = [
  ['hidden_unicode', checkHiddenUnicode],
  ['confusable_letters', checkConfusableLetters],
  ['lookalike_name', checkLookalikeName],
  ['secrecy', checkSecrecy],
  ['other_tools', checkOtherTools],
  ['preference', checkPreference],
  ['hidden_markup', checkMarkup],
  ['terminal_escape', checkTerminal],
  ['padding', checkPadding],
]

/**
 * Whether a feature's definition looks as if it were made to steer the model that reads it. Pure; takes time in proportion to
 * the definition and to what stands around it, and never more than for 128 KiB of text.
 */
export function scan(subject: Subject, { off = [] }: ScanOptions = {}): Scan {
  const { texts, isCut } = textsOf(subject.definition)
  const isOn = (check: Check) => !off.includes(check)
  if (isCut && isOn('padding')) return { verdict: 'suspicious', score: WEIGHTS.high, suspicions: [TOO_LONG] }
  const read = readTexts(texts)
  const found: Suspicion[] = [
    ...RUNS.filter(([check]) => isOn(check)).flatMap(([check, run]) =>
      run(read, subject).map((one) => ({ check, ...one })),
    ),
    ...checkWords(read).filter(({ check }) => isOn(check)),
  ]
  const score = scoreOf(found)
  const suspicions = found.toSorted(bySeverity).slice(0, MOST_SUSPICIONS)
  return { verdict: score >= SUSPICIOUS ? 'suspicious' : 'clean', score, suspicions }
}

const TOO_LONG: Suspicion = {
  check: 'padding',
  field: '$',
  severity: 'high',
  explanation: 'holds more text than can be looked through',
}

/** Each check counts once, by its gravest suspicion. */
function scoreOf(found: readonly Suspicion[]): number {
  return CHECKS.reduce((sum, check) => {
    const own = found.filter((one) => one.check === check).map(({ severity }) => WEIGHTS[severity])
    return sum + Math.max(0, ...own)
  }, 0)
}

function bySeverity(one: Suspicion, other: Suspicion): number {
  return WEIGHTS[other.severity] - WEIGHTS[one.severity]
}
