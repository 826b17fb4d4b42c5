import { z } from 'zod'
import type { Sample } from '../../domain/replay.js'
import { replayedRules } from '../../configuration/nouns/replayed-rules.js'
import { invalid, strict } from '../../configuration/problems.js'
import { reference, Rule } from '../../configuration/schemas.js'
import { absent } from '../../configuration/work.js'
import type { ReplayRow } from '../../db/repositories/replays.js'
import { holds } from '../../domain/capabilities.js'
import type { Gateway } from '../../domain/nouns.js'
import { reachableGateway } from './gateways.js'
import { mustHoldAll } from './needs.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'
import { ReplayAnswer } from './replay-answers.js'

/** Backtests: rules that are not saved, run over what the record has kept. */

const need = 'basicGatewayManagement'
const also = ['viewAndExportLogs']
const moment = z.iso.datetime({ offset: true, error: 'must be a time such as 2030-01-31T12:00:00Z' })
const Input = strict({
  gateway: reference,
  rules: z.array(Rule).min(1).max(20).describe('in their order, each on what the former left'),
  since: moment,
  until: moment.optional().describe('now, unless told'),
  max: z.int().min(1).optional().describe('messages; settings.limits.replayMessages unless told, and at most'),
  allowExternal: z
    .boolean()
    .optional()
    .describe('lets engines send texts to services outside; needs viewMessageBodies'),
})
type Input = z.output<typeof Input>

export function replayOperations(options: ApiOptions): Operation[] {
  const { replays } = options
  const found = (call: ApiCall) => reachableReplay(options, call)
  return [
    operation({
      id: 'startReplay',
      method: 'post',
      path: '/rules/replay',
      summary:
        'Runs rules over stored messages, changes nothing and tells what they would have done. Needs viewAndExportLogs too; with viewMessageBodies on sealed originals.',
      need,
      also,
      input: Input,
      output: z.object({ id: z.string(), state: z.string() }),
      handle: async (call) => ({ id: await start(options, call), state: 'queued' }),
    }),
    operation({
      id: 'getReplay',
      method: 'get',
      path: '/rules/replays/{id}',
      summary: 'Tells how far a backtest is and what it found, for a day. Needs viewAndExportLogs too.',
      need,
      also,
      output: ReplayAnswer,
      handle: async (call) => {
        const { row, gateway } = await found(call as ApiCall)
        return show(row, gateway, holds(call.caller.capabilities, 'viewMessageBodies'))
      },
    }),
    operation({
      id: 'deleteReplay',
      method: 'delete',
      path: '/rules/replays/{id}',
      summary: 'Cancels a backtest; what it has found so far stays. Needs viewAndExportLogs too.',
      need,
      also,
      handle: async (call) => void (await replays.cancel((await found(call as ApiCall)).row.id)),
    }),
  ]
}

async function start({ store, mutations, replays }: ApiOptions, call: ApiCall<Input>): Promise<string> {
  const { caller, actor, input } = call
  // Stored messages that leave are read by whoever runs the service.
  if (input.allowExternal === true) mustHoldAll(caller.capabilities, ['viewMessageBodies'])
  const gateway = await reachableGateway(store, call as ApiCall, input.gateway)
  const period = periodOf(input)
  const rules = await mutations.rehearse(actor, (work) => replayedRules(work, gateway.id, input.rules))
  const { plugins, external } = await replays.enginesOf(rules)
  if (external[0] !== undefined && input.allowExternal !== true)
    throw invalid(
      'allowExternal',
      `the engine '${external[0]}' sends texts to another service: stored messages would go there. Say so if that is meant.`,
    )
  const { replayMessages, replayTime } = (await store.settings.get()).limits
  return replays.start(
    {
      gatewayId: gateway.id,
      rules,
      ...period,
      most: { messages: Math.min(input.max ?? replayMessages, replayMessages), ms: replayTime },
      bodies: holds(caller.capabilities, 'viewMessageBodies'),
      external: input.allowExternal === true,
      plugins,
    },
    { userId: caller.id, spec: { rules: rules.map(({ name }) => name), ...period } },
  )
}

function periodOf({ since, until }: Input): Period {
  const period = { since: Date.parse(since), until: until === undefined ? Date.now() : Date.parse(until) }
  if (period.since >= period.until) throw invalid('since', 'must be before until, and not in the future')
  return period
}

interface Period {
  readonly since: number
  readonly until: number
}

/** A backtest on a gateway of none of the caller's teams is as good as absent. */
async function reachableReplay({ store, replays }: ApiOptions, call: ApiCall) {
  const id = call.params['id'] ?? ''
  const row = z.uuid().safeParse(id).success ? await replays.find(id) : null
  if (row === null) throw absent('backtest', id)
  return { row, gateway: await reachableGateway(store, call, row.gatewayId) }
}

function show(row: ReplayRow, gateway: Gateway, bodies: boolean): unknown {
  const { rules, since, until } = row.spec as Period & { readonly rules: readonly string[] }
  const samples = JSON.parse(row.samples ?? '[]') as Sample[]
  return {
    ...row,
    gateway: gateway.slug,
    rules,
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
    samples: bodies ? samples : samples.map((sample) => ({ ...sample, before: null, after: null })),
  }
}
