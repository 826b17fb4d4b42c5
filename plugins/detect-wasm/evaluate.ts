import { notRun } from '@gatehouse/rule-sandbox/input'
import type { Ran } from '@gatehouse/rule-sandbox'
import type { ChainLink, Evaluation, EvaluateRequest } from '@gatehouse/sdk'
import { undecided } from '@gatehouse/sdk'
import type { Asked, Came, Threads } from './chain.js'
import { runLinks } from './chain.js'
import { evaluationOf } from './evaluation.js'
import type { Facts } from './inputs.js'
import { isLarger, show } from './inputs.js'
import { wantsOf } from './protocol.js'
import { repeat } from './repeat.js'
import type { RuleLog } from './rule-log.js'
import type { Risks } from './risks.js'
import type { Opened, Scope, Scopes } from './scopes.js'
import type { GiveBack, Prepared, RulePool, Shelf } from './shelf.js'

export interface Workshop {
  readonly pool: RulePool
  readonly risks: Risks
  readonly shelf: Shelf
  readonly scopes: Scopes
  readonly log: RuleLog
}

/** A rule that is asked, and what core would do. */
export interface Turn {
  readonly rule: Prepared
  readonly action: ChainLink['action']
  readonly shadow: boolean
}

/** What is asked of a chain. `stored` in place of a scope is what a rule is told to have stored: nothing is stored then. */
export interface Question {
  readonly request: EvaluateRequest
  readonly facts: Facts
  readonly turns: readonly Turn[]
  readonly stored: ReadonlyMap<string, string> | null
  /** Milliseconds since the epoch. What would be answered later is not stored, for nobody waits for it. */
  readonly deadline?: number
  /** Told of each run, in order. */
  readonly onRan?: (ran: Ran) => void
}

/** Answers for the rules of a chain in their order, for the first at least. */
export async function answer(workshop: Workshop, question: Question): Promise<readonly Evaluation[]> {
  const scopes = question.stored === null ? question.turns.map((turn) => scopeOf(turn, question.request)) : []
  const kept = scopes.filter((scope) => scope !== null)
  if (kept.length === 0) return withRules(workshop, question, NOTHING)
  return workshop.scopes.within(kept, async (opened) => {
    if (isPast(question)) return [undecided(TOO_LATE)]
    const stores = opened.values()
    const stored = question.turns.map((_, at) => (scopes[at] == null ? null : (stores.next().value ?? null)))
    const unread = scopes.findIndex((scope, at) => scope !== null && stored[at] === null)
    if (unread === 0) return [undecided('what the rule remembers could not be read')]
    const turns = unread < 0 ? question.turns : question.turns.slice(0, unread)
    return withRules(workshop, { ...question, turns }, stored)
  })
}

const TOO_LATE = 'nobody waits for it any more'
const isPast = ({ deadline = Infinity }: Question): boolean => Date.now() >= deadline

function scopeOf({ rule, shadow }: Turn, { context }: EvaluateRequest): Scope | null {
  const { connection, gateway } = context
  if (!rule.build.module.manifest.stateful || rule.rule === null || connection === null) return null
  return { rule: rule.rule.id, shadow, gateway: gateway.id, connection: connection.id }
}

type Stored = readonly (Opened | null)[]
const NOTHING: Stored = []

async function withRules(workshop: Workshop, question: Question, stored: Stored): Promise<readonly Evaluation[]> {
  const taking = question.turns.map(({ rule }) => workshop.shelf.use(rule))
  const isHeld = taking.every((one) => typeof one === 'function')
  const taken = isHeld ? taking : (await Promise.allSettled(taking)).map(valueOf)
  try {
    const broken = taken.indexOf(null)
    if (broken === 0) return [undecided('the rule could not be loaded')]
    const turns = broken < 0 ? question.turns : question.turns.slice(0, broken)
    return await run(workshop, { ...question, turns }, stored)
  } finally {
    for (const giveBack of taken) giveBack?.()
  }
}

const valueOf = (settled: PromiseSettledResult<GiveBack>) => (settled.status === 'fulfilled' ? settled.value : null)

async function run(workshop: Workshop, question: Question, stored: Stored): Promise<readonly Evaluation[]> {
  const { request, facts, turns } = question
  const asked = turns.map((turn, at) => askedOf(turn, question.stored ?? stored[at]?.values ?? null))
  const over = asked.map((one) => isOver(one, request))
  const within = asked.filter((_, at) => over[at] !== true)
  const wants = within.map(({ link }) => link.wants)
  const threads = threadsOf(workshop, request)
  const came = within.length === 0 ? [] : await runLinks(threads, within, show(facts, request, wants))
  const next = came.values()
  const answers: Evaluation[] = []
  let isSure = true
  for (const [at, turn] of turns.entries()) {
    // Whoever remembers, or was measured by what came, is asked once core has said what it is to see.
    if (!isSure && (over[at] === true || stored[at] != null)) break
    const one = over[at] === true ? tooLarge(turn) : next.next().value
    if (one === undefined) break
    const opened = stored[at] ?? null
    const evaluation = await conclude(workshop, question, { turn, came: one, opened })
    // Those behind ran behind an answer that does not stand: they are asked for again.
    if (evaluation === null) return [...answers, await askAnew(workshop, question, { turn, opened })]
    answers.push(evaluation)
    isSure &&= goesOn(turn, evaluation)
  }
  return answers
}

const threadsOf = ({ pool, risks }: Workshop, { context: { user, connection } }: EvaluateRequest): Threads => ({
  pool,
  risks: risks.of(user?.id ?? connection?.id ?? null),
})

/** A rule alone, on the message as it is. */
async function askAnew(
  workshop: Workshop,
  question: Question,
  { turn, opened }: Omit<Conclusion, 'came'>,
): Promise<Evaluation> {
  const { request, facts } = question
  const ask = async (now: Opened) => {
    const asked = askedOf(turn, now.values)
    const shown = show(facts, request, [asked.link.wants])
    const [came] = await runLinks(threadsOf(workshop, request), [asked], shown)
    return came === undefined ? undecided('no answer') : conclude(workshop, question, { turn, came, opened: now })
  }
  return { evidence: turn.rule.evidence, ...(await repeat(opened, ask)) }
}

/** Whether the rule behind sees the message for sure, and as it was. */
function goesOn({ action, shadow }: Turn, { verdict }: Evaluation): boolean {
  return shadow || verdict === 'pass' || (action === 'detect' && verdict !== 'undecided')
}

function askedOf({ rule, action, shadow }: Turn, values: ReadonlyMap<string, string> | null): Asked {
  const { manifest } = rule.build.module
  const kv = manifest.stateful ? [...(values ?? [])] : null
  return { rule, link: { key: rule.key, action, shadow, wants: wantsOf(manifest), kv } }
}

/** Surely, by what can be told without writing it all out; the sandbox counts. */
function isOver({ rule, link }: Asked, { message, leaves }: EvaluateRequest): boolean {
  const { inputBytes } = rule.build.module.limits
  if (link.wants !== 'texts' && isLarger(message, inputBytes)) return true
  let left = inputBytes
  return link.wants !== 'message' && leaves.some(({ kind, text }) => kind !== 'whole' && (left -= text.length + 2) < 0)
}

function tooLarge({ rule }: Turn): Came {
  const message = `the message is over the rule's limit of ${rule.build.module.limits.inputBytes} bytes`
  return { kind: 'ran', ran: notRun({ kind: 'refused', message }) }
}

interface Conclusion {
  readonly turn: Turn
  readonly came: Came
  readonly opened: Opened | null
}

/**
 * What it wants to store is stored before its verdict is told; without that there is no verdict. Null when another replica has stored
 * something since: then it is as if the rule had not run.
 */
async function conclude(
  { log, shelf }: Workshop,
  question: Question,
  { turn, came, opened }: Conclusion,
): Promise<Evaluation | null> {
  if (came.kind === 'unable') {
    if (came.isMissing === true) shelf.missed(turn.rule)
    return { ...undecided(came.message), evidence: turn.rule.evidence }
  }
  if (came.kind === 'ended')
    return { ...undecided(came.message), evidence: turn.rule.evidence, strike: `ended: ${came.message}` }
  const { ran } = came
  const { request, facts, onRan } = question
  const evaluation = evaluationOf(ran, { request, facts, rule: turn.rule, action: turn.action })
  if (opened !== null && isPast(question)) return undecided(TOO_LATE)
  const keeps = opened !== null && evaluation.verdict !== 'undecided'
  const kept = keeps ? await opened.commit(ran.writes).catch(() => 'failed') : true
  if (kept === false) return null
  onRan?.(ran)
  if (onRan === undefined) log(turn.rule, request.context.correlationId, ran)
  if (kept !== 'failed') return evaluation
  return { ...undecided('what the rule wants to remember could not be stored'), evidence: turn.rule.evidence }
}
