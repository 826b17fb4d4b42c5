import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Assignment } from '../../domain/nouns.js'
import { ALL, EVERYTHING } from '../../domain/provisioning.js'
import type { GatehouseError } from '../../errors.js'
import type { Work } from '../work.js'
import { mustBeAllowedToProvision, PROVISIONING_CAPABILITY } from './provisioning.js'

const NO_TOOLS = { ...EVERYTHING, tools: { ...ALL, mode: 'none' } } as const
const at = (id: string, serverId: string, provisioning: Assignment['provisioning']) =>
  ({ id, serverId, provisioning }) as Assignment
const fresh = (serverId: string, provisioning: Assignment['provisioning']) => ({ serverId, provisioning })

/** Whether the change passes without the capability; with it everything does. */
function isFree(before: readonly Assignment[], after: Parameters<typeof mustBeAllowedToProvision>[2]): boolean {
  const actor = (capabilities: readonly string[]) =>
    ({ actor: { capabilities: new Set(capabilities) } }) as unknown as Work
  mustBeAllowedToProvision(actor([PROVISIONING_CAPABILITY]), before, after)
  try {
    mustBeAllowedToProvision(actor(['basicGatewayManagement']), before, after)
    return true
  } catch (error) {
    assert.is((error as GatehouseError).code, 'GH_API_FORBIDDEN')
    return false
  }
}

test('what exists of a server is changed by whoever may, on whatever way', () => {
  const [chosen, open] = [at('1', 'crm', NO_TOOLS), at('2', 'wiki', EVERYTHING)]
  const before = [chosen, open]
  assert.not(isFree(before, [at('1', 'crm', EVERYTHING), open]), 'changed')
  assert.not(isFree(before, [chosen, at('2', 'wiki', NO_TOOLS)]), 'chosen anew')
  assert.not(isFree(before, [open]), 'taken off, and perhaps put back')
  assert.not(isFree(before, [fresh('crm', EVERYTHING), open]), 'under another name')
  assert.not(isFree(before, [...before, fresh('crm', EVERYTHING)]), 'beside itself')
  assert.not(isFree(before, [...before, fresh('mail', NO_TOOLS)]), 'chosen at once')
})

test('everything else is free', () => {
  const [chosen, open] = [at('1', 'crm', NO_TOOLS), at('2', 'wiki', EVERYTHING)]
  assert.ok(isFree([chosen, open], [open, chosen]))
  assert.ok(isFree([chosen, open], [chosen]))
  assert.ok(isFree([chosen, open], [chosen, open, fresh('mail', EVERYTHING), fresh('wiki', EVERYTHING)]))
})

test.run()
