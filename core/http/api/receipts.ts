import { z } from 'zod'
import { invalid, strict } from '../../configuration/problems.js'
import { absent } from '../../configuration/work.js'
import { readReceiptId } from '../../domain/rerun.js'
import { asGatehouseError } from '../../errors.js'
import { reachableGateway } from './gateways.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'

/** Receipts of rules: the verdict of one, run again on what the rule saw. */

const Input = strict({
  allowExternal: z.boolean().optional().describe('lets an engine send the message to its service again'),
})
const counts = z.record(z.string(), z.number())
const conclusion = {
  verdict: z.string(),
  findings: counts,
  evidence: z.record(z.string(), z.union([z.string(), z.number()])).nullable(),
}
const receipt = z.looseObject({ receipt_id: z.string() }).describe('as it stands in the rows of the log')
const RerunAnswer = z.discriminatedUnion('kept', [
  z.object({
    receipt,
    kept: z.literal(true),
    config: z.enum(['recorded', 'current']).describe('what the rule said then, or says today in the version of then'),
    was: z.object(conclusion),
    now: z.object({ ...conclusion, reason: z.string().nullable() }),
    identical: z.boolean().describe('verdict, findings and evidence are the same'),
    differences: z.array(z.string()).describe('such as verdict, findings.ssn, evidence.fuel'),
  }),
  z.object({
    receipt,
    kept: z.literal(false),
    why: z.string(),
    message: z.string().describe('what to do'),
  }),
])

export function receiptOperations(options: ApiOptions): Operation[] {
  return [
    operation({
      id: 'replayReceipt',
      method: 'post',
      path: '/rules/receipts/{receiptId}/replay',
      summary:
        'Runs the verdict of a receipt again on what its rule saw, if that was kept (capture: sealed), and tells whether it is the same. Changes and counts nothing. Needs viewMessageBodies too.',
      need: 'viewAndExportLogs',
      also: ['viewMessageBodies'],
      input: Input,
      output: RerunAnswer,
      handle: (call) => replay(options, call),
    }),
  ]
}

/** A receipt on a gateway of none of the caller's teams is as good as absent. */
async function replay({ store, receipts }: ApiOptions, call: ApiCall<z.output<typeof Input>>): Promise<unknown> {
  const text = call.params['receiptId'] ?? ''
  const id = readReceiptId(text)
  const stored = id === null ? null : await receipts.find(id)
  if (stored === null || stored.row.gateway_id === null) throw absent('receipt', text)
  const gateway = await reachableGateway(store, call as ApiCall, stored.row.gateway_id).catch((thrown: unknown) => {
    throw asGatehouseError(thrown).code === 'GH_API_NOT_FOUND' ? absent('receipt', text) : thrown
  })
  if (call.input.allowExternal !== true && receipts.isExternal(stored))
    throw invalid(
      'allowExternal',
      `the engine '${stored.receipt.engine}' sends texts to another service: the message would go there again. Say so if that is meant.`,
    )
  return receipts.rerun(stored, gateway, call.caller.id)
}
