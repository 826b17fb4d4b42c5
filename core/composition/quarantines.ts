import type { Alert, PluginLog } from '@gatehouse/sdk'
import type { Alerting } from '../domain/alerts.js'
import type { Rule } from '../domain/nouns.js'
import { nameOfArtifact, quarantineKey, versionKey } from '../domain/rule-watch.js'
import type {
  Quarantine,
  QuarantineRepository,
  RuleQuarantine,
  RuleVersion,
  RuleWatch,
  StoredQuarantine,
} from '../domain/rule-watch.js'
import type { CompiledRule, Snapshot } from '../domain/snapshot.js'
import { isCanary } from '../rules/share.js'

export interface QuarantinesOptions extends Pick<Alerting, 'raise' | 'resolve'> {
  readonly store: QuarantineRepository
  /** Tells the other replicas. */
  readonly bump: () => Promise<number>
  readonly log: Pick<PluginLog, 'warn'>
  readonly retryMs?: number
}

/** Which rules are not asked, over all replicas and restarts. */
export interface Quarantines {
  /** A rule was put in quarantine here: it is written down, and whoever must know is told. Tried again until it is. */
  enter(compiled: CompiledRule, quarantine: Quarantine): void
  /** A configuration stands: what is in quarantine by it is, and nothing else. */
  follow(next: Snapshot, previous: Snapshot | null): void
  stop(): void
}

/** One that is only known here. From the snapshot of `epoch` on, the database knows. */
interface Pending {
  readonly compiled: CompiledRule
  readonly quarantine: StoredQuarantine
  epoch: number
  /** It was first told here, and so here the alert is raised. */
  isFirst: boolean
}

const RETRY_MS = 5_000

export function createQuarantines(options: QuarantinesOptions): Quarantines {
  const { store, bump, raise, resolve, log, retryMs = RETRY_MS } = options
  const pending = new Map<string, Pending>()
  const timers = new Set<NodeJS.Timeout>()
  const write = async (one: Pending): Promise<void> => {
    try {
      if (await store.put(one.quarantine)) one.isFirst = true
      one.epoch = await bump()
      if (one.isFirst) await raise(alertOf(one.compiled, one.quarantine))
    } catch (thrown) {
      log.warn({ rule: one.quarantine.ruleId, error: String(thrown) }, 'a quarantine could not be written down yet')
      const timer = setTimeout(() => {
        timers.delete(timer)
        void write(one)
      }, retryMs)
      timers.add(timer.unref())
    }
  }
  /** Whether it is known here alone. */
  const standsHere = (key: string, epoch: number): boolean => {
    const one = pending.get(key)
    if (one !== undefined && epoch < one.epoch) return true
    pending.delete(key)
    return false
  }
  return {
    enter(compiled, quarantine) {
      const stored = { ...versionOf(compiled), ...quarantine, gatewayId: compiled.rule.gatewayId }
      const one = {
        compiled,
        quarantine: stored,
        epoch: Infinity,
        isFirst: false,
      }
      pending.set(quarantineKey(stored), one)
      void write(one)
    },
    follow(next, previous) {
      for (const one of next.quarantines) pending.delete(quarantineKey(one))
      for (const compiled of rulesOf(next)) {
        const version = versionOf(compiled)
        const here = heldOf(compiled.watch).filter((one) =>
          standsHere(quarantineKey({ ...version, ...one }), next.epoch),
        )
        const key = versionKey(version)
        stand(compiled.watch, [...here, ...next.quarantines.filter((one) => versionKey(one) === key)])
      }
      const still = held(next)
      for (const ruleId of held(previous)) if (!still.has(ruleId)) void resolve('rule_quarantined', alertKey(ruleId))
    },
    stop() {
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

const heldOf = ({ quarantine, held }: RuleWatch): readonly Quarantine[] =>
  quarantine === null ? [...held.values()] : [quarantine, ...held.values()]

/** These and no others. Whoever is set free begins anew. */
function stand(watch: RuleWatch, quarantines: readonly Quarantine[]): void {
  const before = heldOf(watch).length
  watch.quarantine = quarantines.find(({ principal }) => principal === null) ?? null
  watch.held = new Map(quarantines.flatMap((one) => (one.principal === null ? [] : [[one.principal, one] as const])))
  if (heldOf(watch).length < before) watch.strikes = []
}

export const versionOf = ({ rule, artifact }: Pick<CompiledRule, 'rule' | 'artifact'>): RuleVersion => ({
  ruleId: rule.id,
  ruleVersion: rule.version,
  sha256: artifact?.sha256 ?? null,
})

/** Of a rule as it is stored, by what runs here. */
export function quarantineOf(snapshot: Snapshot, { id, gatewayId }: Rule): RuleQuarantine | null {
  const versions = (snapshot.gateways.get(gatewayId)?.rules ?? []).filter(({ rule }) => rule.id === id)
  // The version that stands comes last, behind its canary.
  const held = versions.toReversed().flatMap(({ watch, share }) => {
    const canary = share !== null && isCanary(share)
    return heldOf(watch).map(({ since, reasons, principal }) => ({ since, reasons, principal, canary }))
  })
  return held.find(({ principal }) => principal === null) ?? held[0] ?? null
}

/** Gateways stand in it under each of their names. */
const rulesOf = (snapshot: Snapshot): readonly CompiledRule[] =>
  [...new Set(snapshot.gateways.values())].flatMap(({ rules }) => rules)

/** Ids of the rules of which a version that stands is in quarantine, as the database says. */
function held(snapshot: Snapshot | null): ReadonlySet<string> {
  if (snapshot === null || snapshot.quarantines.length === 0) return new Set()
  const stored = new Set(snapshot.quarantines.map((one) => versionKey(one)))
  const versions = rulesOf(snapshot).map(versionOf)
  return new Set(versions.filter((one) => stored.has(versionKey(one))).map(({ ruleId }) => ruleId))
}

const alertKey = (ruleId: string): string => `rule_quarantined:${ruleId}`

function alertOf(compiled: CompiledRule, quarantine: StoredQuarantine): Alert {
  const { since, reasons, principal } = quarantine
  const { rule, kind, artifact, share } = compiled
  const artifactName = nameOfArtifact(artifact)
  return {
    type: 'rule_quarantined',
    severity: 'error',
    key: alertKey(rule.id),
    message: `The rule “${rule.name}” is in quarantine: it failed ${reasons.length} times by its own fault${principal === null ? '' : ', and only on messages of one person, for whom alone that holds'}. ${effectOf(compiled)} Mend it, or release it with \`gatehouse rules release\`.`,
    gatewayId: rule.gatewayId,
    ruleId: rule.id,
    context: {
      engine: kind,
      ruleVersion: rule.version,
      ...(artifactName === null ? {} : { artifact: artifactName, sha256: artifact?.sha256 ?? '' }),
      since,
      ...(principal === null ? {} : { principal }),
      reasons: reasons.join('\n'),
      onFailure: rule.onFailure,
      shadow: rule.shadow,
      canary: share !== null && isCanary(share),
    },
  }
}

function effectOf({ rule, share }: CompiledRule): string {
  if (rule.shadow) return 'It is in shadow: messages go on as before.'
  if (share !== null && isCanary(share)) return 'It is a canary: the version that stands takes all messages.'
  if (rule.onFailure === 'block') return 'Messages that it covers are blocked.'
  return 'Messages that it covers pass without it.'
}
