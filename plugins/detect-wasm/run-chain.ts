import { encodeInput } from '@gatehouse/rule-sandbox/input'
import type { OpenRule, Ran } from '@gatehouse/rule-sandbox'
import type { JsonObject } from '@gatehouse/sdk'
import type { RuleInput } from '@gatehouse/sdk/rule-abi'
import { decisionOf, nextAfter } from './decide.js'
import type { ChainAnswer, Link, ReadTask, Wants } from './protocol.js'
import { inputOfWants } from './protocol.js'
import { inUtf16 } from './utf16.js'

/** What a thread has at hand for a chain. */
export interface ChainRun {
  readonly rules: ReadonlyMap<number, OpenRule>
  /** Told which of the links runs from now on. */
  readonly at: (step: number) => void
}

/**
 * Runs the rules of a chain in their order, until what the next one would see is the gateway's to say. A rule that changed the
 * message is followed only by rules that see the message alone, and by their answers only as far as they name no texts: those are
 * counted in the message that came.
 */
export async function runChain(task: ReadTask, { rules, at }: ChainRun): Promise<ChainAnswer> {
  const answers: (Ran | null)[] = []
  const inputs = inputsOf(task)
  for (const [step, link] of task.links.entries()) {
    if (inputs.isChanged && link.wants !== 'message') break
    at(step)
    const ran = await runLink(link, rules.get(link.key), inputs)
    if (inputs.isChanged && namesTexts(ran, link)) break
    answers.push(ran)
    if (ran?.answer == null) continue
    const next = nextAfter(ran.answer, link)
    if (next === 'end') break
    if (next === 'changed') inputs.change(ran.answer.message as JsonObject)
  }
  return answers
}

async function runLink({ wants, kv, mostMs }: Link, rule: OpenRule | undefined, inputs: Inputs): Promise<Ran | null> {
  if (rule === undefined) return null
  const input = inputs.bytes(wants)
  const ran = await rule.run({ input, kv: kv === null ? null : new Map(kv), mostMs })
  if (ran.answer?.unit !== 'utf8' || ran.answer.findings === undefined) return ran
  return { ...ran, answer: inUtf16(ran.answer, inputs.read(wants)) }
}

function namesTexts(ran: Ran | null, link: Link): boolean {
  if (ran?.answer == null) return false
  return ran.answer.texts !== undefined || decisionOf(ran.answer, link) === 'findings'
}

/** What the rules see, by what they want of it. */
interface Inputs {
  isChanged: boolean
  bytes(wants: Wants): Uint8Array
  read(wants: Wants): RuleInput
  change(message: JsonObject): void
}

function inputsOf(task: ReadTask): Inputs {
  let changed: Uint8Array | null = null
  const inputs: Inputs = {
    isChanged: false,
    bytes: (wants) => changed ?? task.bytes(wants),
    read: (wants) => JSON.parse(Buffer.from(inputs.bytes(wants)).toString('utf8')) as RuleInput,
    change(message) {
      changed = encodeInput({ ...inputs.read('message'), message }, inputOfWants('message'))
      inputs.isChanged = true
    },
  }
  return inputs
}
