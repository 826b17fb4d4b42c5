import { z } from 'zod'
import { releaseRule, ruleById } from '../../configuration/nouns/quarantine.js'
import { strict } from '../../configuration/problems.js'
import type { StoredTally } from '../../domain/rule-watch.js'
import { reachableGateway, SEE_GATEWAYS, showRule } from './gateways.js'
import { RuleAnswer, RuleStatisticsAnswer } from './answers.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'

/** How rules do: what their versions came to, and those that are not run any more. */

const WEEK_MS = 7 * 86_400_000
const Since = z.strictObject({
  since: z.iso
    .datetime({ offset: true, error: 'must be a time such as 2030-01-31T12:00:00Z' })
    .optional()
    .describe('a week ago, unless told; whole hours'),
})

export function ruleWatchOperations({ store, mutations, engineKinds, ruleWatch }: ApiOptions): Operation[] {
  const sight = () => ({ kinds: engineKinds(), quarantineOf: ruleWatch.quarantineOf })
  const found = async (call: unknown) => {
    const known = call as ApiCall
    const { rule, gatewayId } = await ruleById(store, known.params['id'] ?? '')
    await reachableGateway(store, known, gatewayId)
    return rule
  }
  return [
    operation({
      id: 'releaseRule',
      method: 'post',
      path: '/rules/{id}/release',
      summary: 'Takes a rule out of quarantine: it is run again, at every replica.',
      need: 'basicGatewayManagement',
      input: strict({}),
      output: RuleAnswer,
      handle: async (call) => {
        const { id } = await found(call)
        const rule = await mutations.change(call.actor, (work) => releaseRule(work, id))
        return showRule(rule, sight())
      },
    }),
    operation({
      id: 'ruleStatistics',
      method: 'get',
      path: '/rules/{id}/statistics',
      summary:
        'What each version of a rule came to, over all replicas; what another one counted is here within ten seconds.',
      need: SEE_GATEWAYS,
      query: Since,
      output: RuleStatisticsAnswer,
      handle: async (call) => {
        const rule = await found(call)
        const since = call.query.since === undefined ? Date.now() - WEEK_MS : Date.parse(call.query.since)
        await ruleWatch.flush()
        const versions = await store.ruleStats.of(rule.id, hourOf(since))
        return { id: rule.id, name: rule.name, since: new Date(since).toISOString(), versions: versions.map(show) }
      },
    }),
  ]
}

const HOUR_MS = 3_600_000
const hourOf = (ms: number): number => ms - (ms % HOUR_MS)

function show(tally: StoredTally) {
  const { calls, changes, blocks, detections, undecided, strikes, counters, from, to } = tally
  const { fuelCalls, fuelSum, fuelMax, msSum, msMax } = tally
  return {
    version: tally.ruleVersion,
    artifact: tally.artifact,
    sha256: tally.sha256,
    ...{ from, to, calls, changes, blocks, detections, undecided, strikes, counters },
    fuel: fuelCalls === 0 ? null : { calls: fuelCalls, mean: Math.round(fuelSum / fuelCalls), max: fuelMax },
    ms: { mean: calls === 0 ? 0 : rounded(msSum / calls), max: rounded(msMax) },
  }
}

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000
