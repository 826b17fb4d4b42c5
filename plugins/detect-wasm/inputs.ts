import { showInput } from '@gatehouse/rule-sandbox/input'
import type { CallContext, EvaluateRequest, Json, JsonObject, Leaf } from '@gatehouse/sdk'
import type { RuleCall, RuleInput } from '@gatehouse/sdk/rule-abi'
import { mayHaveMarks, withoutMarks } from './marks.js'
import type { Shown, Wants } from './protocol.js'
import { inputOfWants } from './protocol.js'

/** What a rule is told beside the message: with that, all it is shown. */
export type Facts = Pick<RuleInput, 'version' | 'leg' | 'call'>

/** `now` stands for the time of a call whose id tells none. */
export function factsOf({ leg, context }: Pick<EvaluateRequest, 'leg' | 'context'>, now: () => number): Facts {
  return { version: 1, leg, call: callOf(context, now) }
}

function callOf(context: CallContext, now: () => number): RuleCall {
  const { correlationId, method, era, feature, attributes } = context
  return {
    id: correlationId,
    gateway: context.gateway.slug,
    server: context.server?.slug ?? null,
    user: context.user?.email ?? null,
    host: context.host.name,
    method,
    era,
    feature,
    attributes,
    time: timeOf(correlationId) ?? now(),
  }
}

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** When a call began: its id says so (RFC 9562, section 5.7), the same in every leg and every run. */
function timeOf(id: string): number | null {
  const parts = UUID_V7.exec(id)
  return parts === null ? null : Number.parseInt(`${parts[1]}${parts[2]}`, 16)
}

/** A message as rules of each kind see it. */
export function show(
  facts: Facts,
  { message, leaves }: Pick<EvaluateRequest, 'message' | 'leaves'>,
  wants: readonly Wants[],
): Shown {
  const input: RuleInput = { ...facts, message, ...textsOf(leaves) }
  return wants.filter((one, at) => wants.indexOf(one) === at).map((one) => [one, jsonOf(input, one)])
}

function jsonOf(input: RuleInput, wants: Wants): string {
  const shown = inputOfWants(wants)
  const json = showInput(input, shown)
  if (wants === 'texts' || !mayHaveMarks(json)) return json
  return showInput({ ...input, message: withoutMarks(input.message) ?? null }, shown)
}

function textsOf(leaves: readonly Leaf[]): Pick<RuleInput, 'texts' | 'keys'> {
  const of = (kind: Leaf['kind']) => leaves.filter((leaf) => leaf.kind === kind).map(({ text }) => text)
  return { texts: of('value'), keys: of('key') }
}

/** Whether a message is surely larger than so many bytes; looks no further than to there. */
export function isLarger(message: Json | undefined, most: number): boolean {
  return leftAfter(message, most) < 0
}

function leftAfter(value: Json | undefined, left: number): number {
  if (left < 0) return left
  if (typeof value === 'string') return left - value.length - 2
  if (typeof value !== 'object' || value === null) return left - 1
  let rest = left - 2
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) if ((rest = leftAfter(item, rest)) < 0) break
    return rest
  }
  for (const [key, item] of Object.entries(value as JsonObject))
    if (item !== undefined && (rest = leftAfter(item, rest - key.length - 3)) < 0) break
  return rest
}
