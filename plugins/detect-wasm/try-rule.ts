import type { Ran } from '@gatehouse/rule-sandbox'
import type { EvaluateRequest, JsonObject, TestAnswer, TestRequest } from '@gatehouse/sdk'
import { undecided } from '@gatehouse/sdk'
import type { Engine } from './engine.js'
import { answer } from './evaluate.js'
import { factsOf } from './inputs.js'
import { prepareRule } from './prepare.js'
import type { Prepared } from './shelf.js'

const MOST_LINES = 10

/** Tries a configuration on a text, as the rule would be run; it remembers nothing, and what it writes to the log is shown. */
export async function tryRule(engine: Engine, request: TestRequest, now: () => number): Promise<TestAnswer> {
  const prepared = await prepareRule(engine.preparing, { ...request, rule: null })
  if (!prepared.ok) return prepared
  const { value: rule } = prepared
  const question = questionOf(request, rule, now)
  const runs: Ran[] = []
  try {
    const [evaluation = undecided('no answer')] = await answer(engine.workshop, {
      request: question,
      facts: factsOf(question, now),
      turns: [{ rule, action: request.action, shadow: false }],
      stored: new Map(),
      onRan: (ran) => runs.push(ran),
    })
    return { ok: true, evaluation, notes: runs.flatMap((ran) => notesOf(ran, rule)) }
  } finally {
    rule.build.release()
  }
}

function questionOf({ leg, text }: TestRequest, rule: Prepared, now: () => number): EvaluateRequest {
  return {
    state: rule,
    pass: 0,
    leg,
    leaves: [{ kind: 'value', text }],
    message: messageOf(leg, text),
    context: contextAt(now()),
    header: () => undefined,
    rewrite: (texts) => messageOf(leg, texts.get(0) ?? text),
  }
}

const messageOf = (leg: TestRequest['leg'], text: string): JsonObject =>
  leg === 'request' ? { name: 'test', arguments: { text } } : { content: [{ type: 'text', text }] }

function contextAt(time: number): EvaluateRequest['context'] {
  const began = time.toString(16).padStart(12, '0')
  return {
    correlationId: `${began.slice(0, 8)}-${began.slice(8)}-7000-8000-000000000000`,
    method: 'tools/call',
    rpcId: 1,
    era: 'modern',
    gateway: { id: 'test', slug: 'test' },
    server: { id: 'test', slug: 'test' },
    feature: { kind: 'tool', name: 'test' },
    user: null,
    host: { id: 'test', name: 'test' },
    connection: null,
    attributes: {},
  }
}

function notesOf(ran: Ran, { build }: Prepared): readonly string[] {
  const { limits } = build.module
  const lines = ran.log.slice(0, MOST_LINES).map(({ level, text }) => `${level}: ${text}`.slice(0, 1_000))
  const left = ran.log.length - lines.length + ran.dropped
  const counted = Object.entries(ran.counters).map(([name, n]) => `${name} ${n}`)
  return [
    `fuel ${ran.fuel} of ${limits.fuel}`,
    `${Math.round(ran.ms * 100) / 100} ms of ${limits.deadlineMs}`,
    `memory ${ran.memoryPages * 64} KiB of ${limits.memoryPages * 64}, answer ${ran.outputBytes} bytes`,
    ...(ran.writes.length > 0 ? [`would store ${ran.writes.length} entries`] : []),
    ...(counted.length > 0 ? [`counted ${counted.join(', ')}`.slice(0, 1_000)] : []),
    ...lines,
    ...(left > 0 ? [`${left} more lines`] : []),
  ]
}
