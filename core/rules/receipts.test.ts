import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { CompiledRule } from '../domain/snapshot.js'
import { alertOf } from './receipts.js'
import { rule, subject } from './testing.js'

const compiled = { rule: rule({ name: 'Ssn', alerts: true }), kind: 'regex', instance: null } as CompiledRule
const blocked = { verdict: 'block', findings: { ssn: 1 }, told: null, failure: null, ms: 1 } as const

test('an alert names the tool, and never the URI that a client wrote: what was matched may stand in it', () => {
  const context = subject().context()
  const told = alertOf(compiled, 'request', context, blocked)
  assert.is(told?.message, 'The rule “Ssn” blocked a request of find_contact.')
  const feature = { kind: 'resource', name: 'crm://people/555-12-3456' } as const
  const read = alertOf(compiled, 'request', { ...context, method: 'resources/read', feature }, blocked)
  assert.is(read?.message, 'The rule “Ssn” blocked a request of a resource.')
  assert.not.match(JSON.stringify(read), '555')
})

test.run()
