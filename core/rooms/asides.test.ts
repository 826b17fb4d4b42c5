import type { Alert, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel } from '../domain/cancel-signal.js'
import type { GatewayPlan } from '../domain/snapshot.js'
import { GatehouseError } from '../errors.js'
import type { OnProgress, Question, QuestionAnswer } from '../mcp/questions.js'
import type { Outcome } from '../rules/chain.js'
import type { Subject } from '../rules/engines.js'
import type { Rules } from '../rules/rules.js'
import { plan } from '../upstream/catalog-testing.js'
import type { Target } from '../upstream/types.js'
import { createAsides } from './asides.js'
import { PRINCIPAL } from './testing.js'

const ELICIT: Question = { method: 'elicitation/create', params: { message: 'Your secret?' } }
const YES: QuestionAnswer = { result: { action: 'accept', content: { x: 'fine' } } }
const alert = { type: 'rule_blocked' } as Alert

/** Blocks what holds the word `block`, masks `secret`, for each subject that it is shown. */
function bench({
  gateway = plan(['crm']) as GatewayPlan | null,
  answer = YES as QuestionAnswer | Error,
  level = undefined as string | undefined,
} = {}) {
  const seen: { leg: string; subject: Subject }[] = []
  const raised: Alert[] = []
  const asked: { session: string; question: Question }[] = []
  const notes: { session: string; note: JsonObject }[] = []
  const done: string[] = []
  const inspect =
    (leg: string) =>
    (_: unknown, subject: Subject, message: JsonObject): Outcome => {
      seen.push({ leg, subject })
      const text = JSON.stringify(message)
      if (text.includes('block')) return { kind: 'blocked', alerts: [alert], receipts: [] } as unknown as Outcome
      if (!text.includes('secret')) return { kind: 'pass', alerts: [], receipts: [], recorded: [] }
      const changed = JSON.parse(text.replaceAll('secret', '***')) as JsonObject
      return { kind: 'changed', message: changed, alerts: [], receipts: [], recorded: [] }
    }
  const asides = createAsides({
    rules: { inspectRequest: inspect('request'), inspectResponse: inspect('response') } as unknown as Rules,
    raise: (one) => void raised.push(one),
    gateway: () => gateway ?? undefined,
    lines: {
      note: (session, note) => void notes.push({ session, note }),
      ask: async (session, question, { onProgress }) => {
        asked.push({ session, question })
        for (const message of ['my secret', 'block']) await onProgress?.({ progress: 1, message })
        if (answer instanceof Error) throw answer
        return answer
      },
    },
    levelOf: () => level,
    completions: { done: (serverId, id) => void done.push(`${serverId} ${id}`) },
  })
  const server = (gateway?.assignments[0] ?? plan(['crm']).assignments[0])?.server
  const target = { server, key: 'public' } as unknown as Target
  const party = { sessionId: 's', gatewayId: 'g', principal: PRINCIPAL }
  const ask = (question: Question, onProgress?: OnProgress) =>
    asides.question(party, target, question, new Cancel(), onProgress)
  return { asides, target, party, ask, seen, raised, asked, notes, done }
}

test('a question of a session goes to its client as rules leave it, and so does its answer', async () => {
  const { ask, asked, seen } = bench({ answer: { result: { x: 'a secret too' } } })
  assert.equal(await ask(ELICIT), { result: { x: 'a *** too' } })
  assert.equal(asked, [{ session: 's', question: { ...ELICIT, params: { message: 'Your ***?' } } }])
  assert.equal(
    seen.map(({ leg }) => leg),
    ['response', 'request'],
  )
})

test('what a rule blocks is not asked, its alert raised, and an answer that it blocks does not reach the server', async () => {
  const question = bench()
  const given = await question.ask({ ...ELICIT, params: { message: 'block' } })
  assert.ok('error' in given)
  assert.equal([question.asked, question.raised], [[], [alert]])
  const answer = bench({ answer: { result: { x: 'block' } } })
  const back = await answer.ask(ELICIT)
  assert.not.match(JSON.stringify(back), 'x')
  assert.ok('error' in back)
})

test('the words of a client that refuses are looked at like any answer', async () => {
  const masked = await bench({ answer: { error: { code: -1, message: 'my secret', data: 'secret' } } }).ask(ELICIT)
  assert.equal(masked, { error: { code: -1, message: 'my ***' } })
  const blocked = await bench({ answer: { error: { code: -1, message: 'block' } } }).ask(ELICIT)
  assert.not.match(JSON.stringify(blocked), '"block"')
})

test('outside of a call every rule for the server looks, whatever feature it is meant for', async () => {
  const { ask, seen } = bench()
  await ask(ELICIT)
  assert.equal(
    seen.map(({ subject }) => subject.feature),
    ['', ''],
  )
})

test('a server that stands twice behind a gateway is looked at as each of them', async () => {
  const one = plan(['crm']).assignments[0]
  const gateway = plan(['crm', 'chat'])
  const twice = gateway.assignments.map((entry) => ({ ...entry, server: one?.server })) as GatewayPlan['assignments']
  const { ask, seen } = bench({ gateway: { ...gateway, assignments: twice } })
  await ask(ELICIT)
  assert.equal(
    seen.map(({ leg, subject }) => `${leg} ${subject.prefix}`),
    ['response crm', 'response chat', 'request crm', 'request chat'],
  )
})

test('of several servers the person sees which one asks', async () => {
  const { ask, asked } = bench({ gateway: plan(['crm', 'chat']) })
  await ask(ELICIT)
  assert.match(String(asked[0]?.question.params?.message), /^\[.+\] Your \*\*\*\?$/)
})

test('what a client tells of a question outside of a call reaches its server as rules leave it', async () => {
  const told: JsonObject[] = []
  await bench().ask(ELICIT, (given) => void told.push(given))
  assert.equal(told, [{ progress: 1, message: 'my ***' }])
})

test('a form that nobody answers is a cancel to its server', async () => {
  const silent = new GatehouseError('GH_FORWARD_UNANSWERED')
  assert.equal(await bench({ answer: silent }).ask(ELICIT), { result: { action: 'cancel' } })
  const error = await bench({ answer: silent })
    .ask({ method: 'roots/list' })
    .catch((thrown: unknown) => thrown)
  assert.is(error, silent)
})

test('a session of a gateway that is gone, or has lost the server, hears and is asked nothing', async () => {
  for (const gateway of [null, plan([])]) {
    const { asides, target, party, ask, asked, notes } = bench({ gateway })
    assert.ok('error' in (await ask(ELICIT)))
    await asides.note(target, { jsonrpc: '2.0', method: 'notifications/message', params: { data: 1 } }, party)
    assert.equal([asked, notes], [[], []])
  }
})

test('a note reaches its session as rules leave it, and nothing beside its params', async () => {
  const { asides, target, party, notes } = bench()
  const say = (params: JsonObject) =>
    asides.note(target, { jsonrpc: '2.0', method: 'notifications/message', params, extra: 'secret' }, party)
  await say({ data: 'a secret' })
  await say({ data: 'block' })
  assert.equal(notes, [
    { session: 's', note: { jsonrpc: '2.0', method: 'notifications/message', params: { data: 'a ***' } } },
  ])
})

test('a log note below the level that the client set is not passed on', async () => {
  const { asides, target, party, notes } = bench({ level: 'warning' })
  for (const level of ['info', 'warning', 'error', 'made-up'])
    await asides.note(
      target,
      { jsonrpc: '2.0', method: 'notifications/message', params: { level, data: level } },
      party,
    )
  assert.equal(
    notes.map(({ note }) => (note.params as JsonObject).data),
    ['warning', 'error', 'made-up'],
  )
})

test('what is done at a URL is known for whoever waits, on whichever session it was said', async () => {
  const { asides, target, party, done } = bench()
  for (const of of [null, party])
    await asides.note(
      target,
      { jsonrpc: '2.0', method: 'notifications/elicitation/complete', params: { elicitationId: 'e1' } },
      of,
    )
  assert.equal(done, [`${target.server.id} e1`, `${target.server.id} e1`])
})

test.run()
