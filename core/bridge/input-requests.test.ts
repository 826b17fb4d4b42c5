import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { abilityOf } from '../upstream/ability.js'
import { mustBeAble, readInputRequired, withoutId } from './input-requests.js'
import { asks, done, elicit, legacyReply, modernReply, ROOTS, visit } from './testing.js'

test('questions keep their keys, their order and every field of their params', () => {
  const odd = { ...elicit('Name?', { 'x-unknown': [1, null], _meta: { a: 1 } }) }
  const wanted = readInputRequired(asks({ z: odd, a: ROOTS, '': { method: 'roots/list', params: {} } }, ''))
  assert.equal([...(wanted?.questions ?? [])], [['z', odd], ['a', ROOTS], ['', { method: 'roots/list', params: {} }]]) // prettier-ignore
  assert.is(wanted?.requestState, '')
})

test('an answer, an error and a legacy server’s own fields ask nothing', () => {
  assert.is(readInputRequired(done('x')), null)
  assert.is(readInputRequired(modernReply({ inputRequests: { k: elicit('?') } as unknown as JsonObject })), null)
  assert.is(readInputRequired({ ...done('x'), result: null, error: { code: 1, message: '' } }), null)
  assert.is(readInputRequired(legacyReply(asks({ k: elicit('?') }).result as JsonObject)), null)
})

test('what is no object is no question, however it is named', () => {
  for (const entry of [
    null,
    'x',
    1,
    [],
    {},
    { method: 7 },
    { method: 'tools/call' },
    { method: 'elicitation/create', params: [] },
  ]) {
    const reply = modernReply({ resultType: 'input_required', inputRequests: { k: entry as never } })
    assert.throws(
      () => readInputRequired(reply),
      (error: unknown) => error instanceof GatehouseError,
    )
  }
})

test('who lacks what is asked is told exactly that', () => {
  const refusal = (declared: JsonObject, question = elicit('?')) => {
    try {
      mustBeAble(abilityOf(declared, '2026-07-28'), [question])
      return null
    } catch (thrown) {
      return (thrown as GatehouseError).data?.requiredCapabilities
    }
  }
  assert.is(refusal({ elicitation: {} }), null)
  assert.equal(refusal({}), { elicitation: { form: {} } })
  assert.equal(refusal({ elicitation: {} }, visit('https://x.example')), { elicitation: { url: {} } })
  assert.equal(refusal({ elicitation: { url: {} } }), { elicitation: { form: {} } })
  assert.equal(refusal({}, ROOTS), { roots: {} })
  const tools = { method: 'sampling/createMessage', params: { toolChoice: { mode: 'auto' } } } as const
  assert.equal(refusal({}, tools), { sampling: {} })
  assert.equal(refusal({ sampling: {} }, tools), { sampling: { tools: {} } })
  assert.is(refusal({ sampling: { tools: {} } }, tools), null)
})

test('only the id of a question is left out, and only where there is one', () => {
  const question = visit('https://x.example', { 'x-unknown': 1 })
  assert.is(withoutId(question), question)
  assert.equal(withoutId(visit('https://x.example', { elicitationId: 'e', 'x-unknown': 1 })), question)
  assert.is(withoutId(ROOTS), ROOTS)
})

test.run()
