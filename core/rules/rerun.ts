import type { JsonObject, Receipt } from '@gatehouse/sdk'
import type { CompiledRule } from '../domain/snapshot.js'
import type { Engines, Subject } from './engines.js'
import { textOf } from './judge.js'
import type { Ended, Text } from './judge.js'
import { runPasses } from './passes.js'
import type { Asked } from './passes.js'
import { receiptOf } from './receipts.js'
import { askRow, settleRow } from './row.js'
import type { Leg } from './shape.js'

/** One rule on a message that it has seen before. */
export interface RerunRequest {
  readonly compiled: CompiledRule
  readonly leg: Leg
  readonly subject: Subject
  readonly message: JsonObject
  /** What its engine looked at then besides the message; empty for one that tells nothing. */
  readonly recorded: JsonObject
}

export interface Rerun {
  readonly receipt: Receipt
  /** What the engine says of a block, or why it could not decide; null when there is nothing to say. */
  readonly reason: string | null
}

/** Runs the rule alone, by the code that ran it then. Nobody is told of anything, and the engine stores nothing. */
export async function rerun(engines: Engines, within: number, request: RerunRequest): Promise<Rerun> {
  const { compiled, leg, subject, message, recorded } = request
  const asked = { engines, leg, subject, context: subject.context(), limits: { within }, recorded }
  const ended = await runAlone(asked, compiled, textOf(message, leg, subject))
  const reason = ended.failure ?? ended.reason
  return { receipt: receiptOf(compiled, leg, ended), reason: reason === '' ? null : reason }
}

/** An engine that chains is asked for a row of one, as it was: a link says more than a question. */
async function runAlone(asked: Asked, compiled: CompiledRule, text: Text): Promise<Ended> {
  if (!compiled.chains || compiled.broken !== null) return runPasses(asked, compiled, text)
  const all: Ended[] = []
  const course = { asked, text: () => text, conclude: (ended: Ended) => all.push(ended) > 0 }
  await settleRow(course, askRow(course, [compiled]))
  return all[0] as Ended
}
