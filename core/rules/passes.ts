import type { CallContext, Evaluation, EvaluateRequest, JsonObject } from '@gatehouse/sdk'
import { undecided } from '@gatehouse/sdk'
import type { CompiledRule } from '../domain/snapshot.js'
import { principalOf } from '../domain/rule-watch.js'
import type { Engines, Limits, Subject } from './engines.js'
import { leavesFor, judged, shapeOf, trialOf } from './judge.js'
import type { Ended, Text, Trial } from './judge.js'
import { rewriterOf } from './rewriter.js'
import type { Leg } from './shape.js'
import { barred } from './strikes.js'

/** What all rules of one leg share. */
export interface Asked {
  readonly engines: Engines
  readonly leg: Leg
  readonly subject: Subject
  readonly context: CallContext
  readonly limits: Limits
  /** Of a verdict that is run again: what its engine looked at then besides the message. */
  readonly recorded?: JsonObject
}

/** Takes a rule through its passes, each on what the former left. Answers at once when its engine does; never rejects. */
export function runPasses(asked: Asked, compiled: CompiledRule, text: Text): Ended | Promise<Ended> {
  return proceed(asked, trialOf(compiled, text, performance.now()))
}

function proceed(asked: Asked, trial: Trial): Ended | Promise<Ended> {
  for (;;) {
    const answer = ask(asked, trial)
    if (isPromise(answer)) return resume(asked, trial, answer)
    const ended = judged(asked, trial, answer)
    if (ended !== null) return ended
  }
}

async function resume(asked: Asked, trial: Trial, pending: Promise<Evaluation>): Promise<Ended> {
  return judged(asked, trial, await pending.catch(failure)) ?? proceed(asked, trial)
}

/** Of a chain, the first; `chain` says who is behind it. Answers at once when the engine does; may reject. */
export function ask(
  { leg, context, subject, engines, limits, recorded }: Asked,
  { compiled, text, pass }: Pick<Trial, 'compiled' | 'text' | 'pass'>,
  chain?: EvaluateRequest['chain'],
): Evaluation | Promise<Evaluation> {
  const { kind, state } = compiled
  const bar = compiled.broken ?? barred(compiled.watch, principalOf(context))
  if (bar !== null) return undecided(bar)
  try {
    const { header } = subject
    const { message } = text
    const rewrite = rewriterOf(message, leg, shapeOf(subject))
    const leaves = leavesFor(compiled, text.leaves)
    const { keeps = false } = subject
    const request = { state, pass, leg, leaves, message, context, header, rewrite, keeps }
    const chained = chain === undefined ? request : { ...request, chain }
    return engines.evaluate(kind, recorded === undefined ? chained : { ...chained, recorded }, limits)
  } catch (thrown) {
    return failure(thrown)
  }
}

export const failure = (thrown: unknown) => undecided(thrown instanceof Error ? thrown.message : 'the engine failed')

export const isPromise = <T>(answer: T | Promise<T>): answer is Promise<T> =>
  typeof (answer as Partial<Promise<T>> | undefined)?.then === 'function'
