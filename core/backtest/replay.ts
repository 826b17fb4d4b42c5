import { never } from '@gatehouse/sdk'
import type { Receipt } from '@gatehouse/sdk'
import type { CompiledRule } from '../domain/snapshot.js'
import { asGatehouseError } from '../errors.js'
import type { Outcome } from '../rules/chain.js'
import type { Rules } from '../rules/rules.js'
import { subjectOf } from './context.js'
import { beginningOf, excerptOf } from './excerpts.js'
import { inputOf, isKept } from './inputs.js'
import type { About, Input, InputsOptions } from './inputs.js'
import type { Leg, ReplayJob, Sample, Told, Verdict } from '../domain/replay.js'
import type { StoredCall, StoredCalls } from './stored.js'
import { Tally, heaviest } from './tally.js'
import type { Throttle } from './throttle.js'

/** All that a backtest works with. */
export interface Workbench {
  readonly job: ReplayJob
  readonly stored: StoredCalls
  readonly rules: Rules
  readonly compiled: readonly CompiledRule[]
  /** The same rules as if they masked what they find, to show where that is; only those that can. */
  readonly probes: readonly CompiledRule[]
  readonly gateway: { readonly id: string; readonly slug: string }
  readonly open: InputsOptions['open']
  readonly prefixesOf: InputsOptions['prefixesOf']
  readonly throttle: Throttle
  /** Aborted when somebody has had enough. */
  readonly signal: AbortSignal
  /** Now and then, and at the end. */
  readonly tell: (told: Told) => void
}

const TELL_MS = 1_000
const LEGS: readonly Leg[] = ['request', 'response']

/** Shows the stored messages of a gateway to rules, by the very code that shows them live ones. Nothing is changed anywhere. */
export async function replay(bench: Workbench): Promise<Told> {
  const { job, stored, throttle, signal, tell } = bench
  const tally = new Tally(bench.compiled.map(({ rule }) => rule))
  const total = await stored.count()
  const told = (): Told => ({
    progress: { read: tally.messages, total },
    report: tally.report(),
    samples: tally.samples(),
  })
  const end = Date.now() + job.most.ms
  let next = 0
  const pace = async (): Promise<void> => {
    if (Date.now() < next) return throttle.rest(signal)
    next = Date.now() + TELL_MS
    tell(told())
    await throttle.rest(signal)
  }
  try {
    for await (const page of stored.pages()) {
      for (const call of page) {
        signal.throwIfAborted()
        tally.stoppedBy = tally.messages >= job.most.messages ? 'messages' : Date.now() >= end ? 'time' : null
        if (tally.stoppedBy !== null) return told()
        await look(bench, tally, call)
        await pace()
      }
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown
    tally.stoppedBy = 'cancel'
  }
  return told()
}

async function look(bench: Workbench, tally: Tally, call: StoredCall): Promise<void> {
  const options: InputsOptions = {
    open: bench.open,
    bodies: bench.job.bodies,
    prefixesOf: bench.prefixesOf,
    covers: (leg, about) => isCovered(bench.compiled, leg, about),
  }
  let covered = false
  for (const leg of LEGS) {
    const found = await inputOf(call, leg, options)
    if (found === null || !options.covers(leg, found)) continue
    covered = true
    if (isKept(found)) await judge(bench, tally, { call, leg, input: found })
    else tally.missed(found.kept)
  }
  tally.messages += 1
  if (covered) tally.covered += 1
}

const isCovered = (
  compiled: readonly CompiledRule[],
  leg: Leg,
  { prefix, serverSlug, kind, feature }: About,
): boolean =>
  compiled.some(
    ({ rule, covers }) => (rule.hook === leg || rule.hook === 'both') && covers(prefix, serverSlug, kind, feature),
  )

interface Stored {
  readonly call: StoredCall
  readonly leg: Leg
  readonly input: Input
}

async function judge(bench: Workbench, tally: Tally, stored: Stored): Promise<void> {
  const { call, input } = stored
  const outcome = await outcomeOf(bench, stored)
  if (outcome === null) return tally.missed('unreadable')
  const verdict = tally.saw({ input, userId: call.user_id, receipts: outcome.receipts })
  if (tally.wants(verdict, input.feature)) tally.show(await sampleOf(bench, stored, outcome, verdict))
}

/** Null for what is nested too deeply to be looked at, which no live message is. */
async function outcomeOf(bench: Workbench, stored: Stored): Promise<Outcome | null> {
  try {
    return await inspect(bench, bench.compiled, stored)
  } catch (thrown) {
    if (asGatehouseError(thrown).code === 'GH_INSPECT_DEPTH') return null
    throw thrown
  }
}

function inspect({ rules, gateway }: Workbench, compiled: readonly CompiledRule[], stored: Stored) {
  const { leg, input } = stored
  const subject = subjectOf({ call: stored.call, input, gateway })
  return leg === 'request'
    ? rules.inspectRequest(compiled, subject, input.message)
    : rules.inspectResponse(compiled, subject, input.message)
}

async function sampleOf(bench: Workbench, stored: Stored, outcome: Outcome, verdict: Verdict): Promise<Sample> {
  const { call, leg, input } = stored
  return {
    correlationId: call.root_id ?? call.id,
    at: call.at.toISOString(),
    leg,
    server: input.serverSlug,
    feature: input.feature,
    rule: ruleOf(outcome.receipts),
    verdict,
    input: input.kept,
    ...(bench.job.bodies ? await textsOf(bench, stored, outcome) : { before: null, after: null }),
  }
}

const ruleOf = (receipts: readonly Receipt[]): string =>
  receipts.find(({ verdict }) => verdict === heaviest(receipts))?.rule_name ?? ''

async function textsOf(bench: Workbench, stored: Stored, outcome: Outcome): Promise<Pick<Sample, 'before' | 'after'>> {
  const { leg, input } = stored
  const kind = input.shape ?? input.kind
  const shown = { before: beginningOf(input.message), after: null }
  switch (outcome.kind) {
    case 'changed':
      return excerptOf(leg, kind, input.message, outcome.message) ?? shown
    case 'blocked':
    case 'pass': {
      // Where a rule only finds, or stops everything, the mask of its double shows what was meant.
      const masked = bench.probes.length === 0 ? null : await inspect(bench, bench.probes, stored)
      const found = masked?.kind === 'changed' ? excerptOf(leg, kind, input.message, masked.message) : null
      return found === null ? shown : { before: found.before, after: outcome.kind === 'pass' ? found.before : null }
    }
    default:
      return never(outcome)
  }
}
