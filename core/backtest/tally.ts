import type { Receipt } from '@gatehouse/sdk'
import type { Rule } from '../domain/nouns.js'
import type { FeatureReport, NotKept, ReplayReport, RuleReport, Sample, Verdict } from '../domain/replay.js'
import { clip } from '../domain/clip.js'
import type { About, Input } from './inputs.js'

const MOST_FEATURES = 50
const MOST_SAMPLES = 20
/** Of one verdict on one feature: twenty alike say less than a few of each. */
const MOST_ALIKE = 5
const BY_WEIGHT: readonly Verdict[] = ['block', 'modify', 'undecided', 'detect', 'pass']
/** A tool's own name may be anything; one gateway has a bounded number of them, a fuzzer has not. */
const MOST_COUNTED = 5_000
/** An engine names what it finds as it likes. */
const MOST_TYPES = 200
const LONGEST_TYPE = 100
const OTHERS = 'others'

type Counting = Record<Verdict, number>
const zero = (): Counting => ({ pass: 0, block: 0, modify: 0, detect: 0, undecided: 0 })

interface CountedRule extends Omit<RuleReport, 'counts' | 'findings' | 'ms'> {
  readonly counts: Counting
  readonly findings: Map<string, number>
  ms: number
}
type CountedFeature = Omit<FeatureReport, 'counts'> & { readonly counts: Counting }

/** What one leg came to. */
export interface Seen {
  readonly input: Input
  readonly userId: string | null
  readonly receipts: readonly Receipt[]
}

/** Counts what a backtest finds. */
export class Tally {
  messages = 0
  covered = 0
  stoppedBy: ReplayReport['stoppedBy'] = null
  readonly #started = Date.now()
  readonly #inputs = { original: 0, redacted: 0 }
  readonly #notKept: Partial<Record<NotKept, number>> = {}
  readonly #outcomes = zero()
  readonly #rules: ReadonlyMap<string, CountedRule>
  readonly #features = new Map<string, CountedFeature>()
  readonly #users = new Set<string>()
  readonly #samples = new Map<Verdict, Sample[]>()

  constructor(rules: readonly Rule[]) {
    this.#rules = new Map(
      rules.map(({ id, name, engine }) => [id, { name, engine, counts: zero(), findings: new Map(), ms: 0 }]),
    )
  }

  missed(why: NotKept): void {
    this.#notKept[why] = (this.#notKept[why] ?? 0) + 1
  }

  saw({ input, userId, receipts }: Seen): Verdict {
    const verdict = heaviest(receipts)
    this.#inputs[input.kept] += 1
    this.#outcomes[verdict] += 1
    const feature = this.#featureOf(input)
    if (feature !== undefined) feature.counts[verdict] += 1
    for (const receipt of receipts) this.#count(receipt)
    if (verdict !== 'pass' && userId !== null) this.#users.add(userId)
    return verdict
  }

  /** Whether one more of these is worth showing. */
  wants(verdict: Verdict, feature: string): boolean {
    if (verdict === 'pass') return false
    const kept = this.#samples.get(verdict) ?? []
    return kept.length < MOST_SAMPLES && kept.filter((one) => one.feature === feature).length < MOST_ALIKE
  }

  show(sample: Sample): void {
    const kept = this.#samples.get(sample.verdict)
    if (kept === undefined) this.#samples.set(sample.verdict, [sample])
    else kept.push(sample)
  }

  /** What weighs most first. */
  samples(): readonly Sample[] {
    return BY_WEIGHT.flatMap((verdict) => this.#samples.get(verdict) ?? []).slice(0, MOST_SAMPLES)
  }

  report(): ReplayReport {
    const acts = ({ counts }: FeatureReport) => counts.block + counts.modify + counts.detect + counts.undecided
    const features = [...this.#features.values()].toSorted((a, b) => acts(b) - acts(a)).slice(0, MOST_FEATURES)
    return {
      messages: this.messages,
      covered: this.covered,
      inputs: this.#inputs,
      notKept: this.#notKept,
      outcomes: this.#outcomes,
      rules: [...this.#rules.values()].map((rule) => ({
        ...rule,
        findings: Object.fromEntries(rule.findings),
        ms: Math.round(rule.ms * 10) / 10,
      })),
      features,
      users: this.#users.size,
      stoppedBy: this.stoppedBy,
      durationMs: Date.now() - this.#started,
    }
  }

  #count({ rule_id, verdict, findings, ms }: Receipt): void {
    const rule = this.#rules.get(rule_id)
    if (rule === undefined) return
    rule.counts[verdict] += 1
    rule.ms += ms
    for (const [type, count] of Object.entries(findings)) {
      const name = rule.findings.has(type) || rule.findings.size < MOST_TYPES ? clip(type, LONGEST_TYPE) : OTHERS
      rule.findings.set(name, (rule.findings.get(name) ?? 0) + count)
    }
  }

  #featureOf({ serverSlug, kind, feature }: About): CountedFeature | undefined {
    const key = JSON.stringify([serverSlug, kind, feature])
    const known = this.#features.get(key)
    if (known !== undefined || this.#features.size >= MOST_COUNTED) return known
    const made = { server: serverSlug, kind, feature, counts: zero() }
    this.#features.set(key, made)
    return made
  }
}

/** What the leg as a whole came to: a block outweighs a change, a change what was only found. */
export function heaviest(receipts: readonly Receipt[]): Verdict {
  return BY_WEIGHT.find((verdict) => receipts.some((receipt) => receipt.verdict === verdict)) ?? 'pass'
}
