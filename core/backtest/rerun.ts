import type { Artifact, Receipt } from '@gatehouse/sdk'
import type { EngineKind, OpenedEngine } from '../domain/engines.js'
import type { Gateway, Rule } from '../domain/nouns.js'
import type { SealedPart } from '../domain/record.js'
import { type Conclusion, differencesOf, type Rerun, type WhyNot } from '../domain/rerun.js'
import type { ArtifactFacts } from '../domain/snapshot.js'
import { asGatehouseError } from '../errors.js'
import { readOriginal, type Original } from '../rules/originals.js'
import { readRuns, type KeptRun } from '../rules/recorded.js'
import type { Rules } from '../rules/rules.js'
import { subjectOf } from './context.js'
import type { StoredReceipt } from './stored-receipt.js'

/** What verdicts are run again with. */
export interface RerunOptions {
  readonly rules: Pick<Rules, 'prepareRule' | 'rerunRule' | 'retireRule'>
  readonly kinds: () => readonly EngineKind[]
  readonly open: (
    place: { readonly at: number; readonly id: string; readonly leg: SealedPart },
    box: Buffer,
  ) => Promise<string | null>
  readonly instanceOf: (name: string) => Promise<OpenedEngine | null>
  readonly artifactOf: (kind: string, artifact: ArtifactFacts) => Promise<Artifact | 'module_gone' | 'module_refused'>
}

/**
 * Runs the rule of a receipt again on what it saw, alone and by the code that ran it then, with all that its engine had looked at
 * besides. Nothing is stored, told or counted. An engine that keeps no record of that is asked with the rule as it stands today, if
 * that is the version of then.
 */
export async function rerunReceipt(options: RerunOptions, stored: StoredReceipt, gateway: Gateway): Promise<Rerun> {
  const { receipt } = stored
  const input = await inputOf(options, stored)
  if (typeof input === 'string') return notKept(stored, input)
  const ran = await ranOf(options, input, gateway)
  if (typeof ran === 'string') return notKept(stored, ran)
  const now = await conclude(options, { ...input, ...ran })
  if (typeof now === 'string') return notKept(stored, now)
  const was = conclusionOf(receipt)
  const differences = differencesOf(was, now)
  const config = input.run === null ? 'current' : 'recorded'
  return { receipt, kept: true, config, was, now, identical: differences.length === 0, differences }
}

const notKept = ({ receipt }: StoredReceipt, why: WhyNot): Rerun => ({
  receipt,
  kept: false,
  why,
  message: WHAT_TO_DO[why],
})

function conclusionOf({ verdict, findings, evidence }: Receipt): Conclusion {
  return { verdict, findings, evidence: evidence ?? null }
}

/** What the rule saw. */
interface Seen {
  readonly stored: StoredReceipt
  readonly kind: EngineKind
  readonly original: Original
  /** Null for an engine that tells nothing of what else it looked at. */
  readonly run: KeptRun | null
}

/** The rule as it was, and what it needs. */
interface Ran {
  readonly rule: Rule
  readonly instance: OpenedEngine | null
  readonly artifact: Artifact | null
}

async function inputOf(options: RerunOptions, stored: StoredReceipt): Promise<Seen | WhyNot> {
  const { receipt } = stored
  if (wasGivenUp(stored)) return 'not_decided'
  const kind = options.kinds().find((one) => one.kind === receipt.engine)
  if (kind === undefined) return 'engine_gone'
  const text = await opened(options, stored, receipt.hook)
  if (text === null) return 'not_captured'
  if (!('text' in text)) return text.why
  const original = readOriginal(text.text)
  if (original === null) return 'unreadable'
  const run = await runOf(options, stored)
  if (typeof run === 'string') return run
  if (run !== null) return { stored, kind, original, run }
  // Without its record, such an engine would go by what it remembers today.
  if (receipt.evidence !== undefined || kind.declaration.artifact !== undefined) return 'no_record'
  if (!isFirst(stored)) return 'no_record'
  return wasChanged(stored) ? 'changed_before' : { stored, kind, original, run }
}

/** Null: nothing was sealed there. */
async function opened(
  { open }: RerunOptions,
  { row }: StoredReceipt,
  part: SealedPart,
): Promise<{ readonly text: string } | { readonly why: WhyNot } | null> {
  const [box, bytes] = [row[part], row[`${part}_bytes`]]
  if (box === null) return bytes === null ? null : { why: 'too_long' }
  const text = await open({ at: row.at.getTime(), id: row.id, leg: part }, box)
  return text === null ? { why: 'unreadable' } : { text }
}

async function runOf(options: RerunOptions, stored: StoredReceipt): Promise<KeptRun | WhyNot | null> {
  const { id, receipt, row } = stored
  const part = `${receipt.hook}_recorded` as const
  const found = await opened(options, stored, part)
  if (found === null) return null
  if (!('text' in found)) return found.why
  const runs = readRuns(found.text)
  if (runs === null) return 'unreadable'
  const place = `${id.leg}.${id.receipt}`
  const run = runs.find((one) => one.receipt === place)
  if (run !== undefined) {
    const isOurs = run.ruleId === receipt.rule_id && run.ruleVersion === receipt.rule_version
    return isOurs ? run : 'unreadable'
  }
  const isWhole = Number(row[`${part}_bytes`]) === Buffer.byteLength(found.text)
  return isWhole ? null : 'too_long'
}

/** What rules did to the message itself comes first on its leg; what passes beside it follows, and is never kept. */
function isFirst({ id, receipt, row }: StoredReceipt): boolean {
  const all = row.legs.flatMap(({ receipts = [] }, leg) => receipts.map((one, n) => ({ one, leg: leg + 1, n: n + 1 })))
  const first = all.find(({ one }) => one.hook === receipt.hook && one.rule_id === receipt.rule_id)
  return first?.leg === id.leg && first.n === id.receipt
}

/** One in shadow that failed fell nowhere either. */
const wasGivenUp = (stored: StoredReceipt): boolean =>
  stored.receipt.verdict === 'undecided' &&
  stored.receipt.fell === null &&
  (!stored.receipt.shadow || before(stored).some(({ verdict, fell }) => verdict === 'block' || fell === 'closed'))

const wasChanged = (stored: StoredReceipt): boolean => before(stored).some(({ verdict }) => verdict === 'modify')

/** What rules that were not in shadow did before it. */
const before = ({ id, receipt, row }: StoredReceipt): readonly Receipt[] =>
  (row.legs[id.leg - 1]?.receipts ?? [])
    .slice(0, id.receipt - 1)
    .filter((one) => one.hook === receipt.hook && !one.shadow)

async function ranOf(options: RerunOptions, { stored, kind, run }: Seen, gateway: Gateway): Promise<Ran | WhyNot> {
  const { receipt } = stored
  const rule = run === null ? currentRule(stored, gateway) : recordedRule(stored, run, gateway)
  if (rule === null) return 'rule_changed'
  const name = receipt.instance ?? null
  const instance = name === null ? null : await options.instanceOf(name)
  if (name !== null && instance?.kind !== kind.kind) return 'engine_gone'
  if (kind.declaration.artifact === undefined) return { rule, instance, artifact: null }
  const artifact = run?.artifact ? await options.artifactOf(kind.kind, run.artifact) : 'module_gone'
  return typeof artifact === 'string' ? artifact : { rule, instance, artifact }
}

const currentRule = ({ receipt }: StoredReceipt, { rules }: Gateway): Rule | null =>
  rules.find(({ id, version }) => id === receipt.rule_id && version === receipt.rule_version) ?? null

function recordedRule({ receipt }: StoredReceipt, { action, config }: KeptRun, gateway: Gateway): Rule {
  return {
    id: receipt.rule_id,
    name: receipt.rule_name,
    version: receipt.rule_version,
    engine: receipt.instance ?? receipt.engine,
    hook: receipt.hook,
    shadow: receipt.shadow,
    action,
    config,
    gatewayId: gateway.id,
    position: 0,
    onFailure: 'block',
    alerts: false,
    enabled: true,
    servers: [],
    features: [],
    managedBy: 'api',
    createdAt: '',
    updatedAt: '',
  }
}

type Now = Conclusion & { readonly reason: string | null }

async function conclude(options: RerunOptions, asked: Seen & Ran): Promise<Now | WhyNot> {
  const { rules } = options
  const compiled = await rules.prepareRule(asked.rule, asked.instance, asked.artifact)
  if (compiled.broken !== null) return 'not_prepared'
  try {
    const { receipt, reason } = await rules.rerunRule({ compiled, ...shownOf(asked) })
    return { ...conclusionOf(receipt), reason }
  } catch (thrown) {
    if (asGatehouseError(thrown).code === 'GH_INSPECT_DEPTH') return 'unreadable'
    throw thrown
  } finally {
    rules.retireRule(compiled)
  }
}

function shownOf({ stored: { receipt, row }, original, run }: Seen) {
  return {
    leg: receipt.hook,
    subject: subjectOf({
      call: row,
      input: original,
      gateway: { id: row.gateway_id ?? '', slug: row.gateway_name ?? '' },
    }),
    message: run?.message ?? original.message,
    recorded: run?.recorded ?? {},
  }
}

const WHAT_TO_DO: Readonly<Record<WhyNot, string>> = {
  not_captured:
    'What the message said before the rules was not kept, or is gone (settings.retentionDays.sealed). Set capture: sealed on the gateway: from then on it is.',
  too_long:
    'The message, or what the engine looked at besides, is longer than settings.limits.bodyInLog: raise it for what comes from now on.',
  unreadable:
    'It was sealed, and the key of its day is gone; or it is damaged. No other message of that day opens either if it is the key.',
  no_record:
    'What the engine looked at besides the message was not kept: it passed beside the call (progress, notes, questions), or the rule came to no verdict of its own (it was in quarantine, was ended, or its engine busy).',
  changed_before:
    'A rule before it had changed the message, and what it left was not kept. Run the rules of the gateway in a row over the period instead: gatehouse rules replay --rule.',
  not_decided: 'There is no verdict to run again: another rule had blocked the message before.',
  rule_changed:
    'The rule has another version by now, or is gone, and its engine keeps none of what it said then. Try what it says today: gatehouse rules replay --rule.',
  module_gone:
    'The module that ran then is no longer kept here. Upload the file whose SHA-256 stands in the receipt, and try again.',
  module_refused:
    'The module that ran then must not run here any more (settings.ruleModules): it was revoked, or nobody trusted has signed it.',
  engine_gone: 'The engine is not loaded here, or not registered any more. Add it, and try again.',
  not_prepared: 'The engine does not take any more what the rule said then: the log of the gateway has the cause.',
}
