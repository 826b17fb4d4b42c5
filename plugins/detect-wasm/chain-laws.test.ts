import type { EvaluateRequest, PluginStore } from '@gatehouse/sdk'
import { createMemoryStore } from '@gatehouse/sdk/memory-store'
import { callContext } from '@gatehouse/sdk/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bench, counting, message, saying, verdicts } from './rule.fixture.js'

const kept = createMemoryStore()
const written = new Set<string>()
let isAway = false
const reach = async () => {
  if (isAway) throw new Error('the database is away')
}
const store: PluginStore = {
  ...kept,
  get: (key) => reach().then(() => kept.get(key)),
  replace: (key, replacement) =>
    reach()
      .then(() => kept.replace(key, replacement))
      .finally(() => written.add(key)),
}
const rules = await bench({ workers: 1 }, { store })
test.after(() => rules.host.stop())

const pass = { verdict: 'pass' } as const
const from = (connection: string): Partial<EvaluateRequest> => ({
  context: callContext({ connection: { id: connection } }),
})

test('a rule that needs no memory decides while what another one remembers is out of reach', async () => {
  const [plain, remembering] = await Promise.all([rules.prepare(saying(pass)), rules.prepare(counting())])
  isAway = true
  try {
    assert.equal(verdicts(await rules.ask([plain, remembering], from('away'))), ['pass'])
    assert.equal(verdicts(await rules.ask([remembering, plain], from('away'))), ['undecided'])
  } finally {
    isAway = false
  }
})

test('a rule remembers no message that one before it may have ended or changed', async () => {
  const [failing, changing, remembering] = await Promise.all([
    rules.prepare(saying({ verdict: 'undecided' })),
    rules.prepare(saying({ verdict: 'modify', message: message('other') })),
    rules.prepare(counting()),
  ])
  for (const before of [failing, changing, { ...failing, action: 'detect' as const }])
    assert.is(
      (await rules.ask([before, remembering], from('unsure'))).length,
      1,
      'it is asked for again if it is to see it',
    )
  assert.is([...written].filter((key) => key.endsWith('unsure')).length, 0)
  const shadow = { ...failing, shadow: true }
  assert.equal(verdicts(await rules.ask([shadow, remembering], from('sure'))), ['undecided', 'pass'])
})

test('what is remembered in shadow is nothing to the rule that stands', async () => {
  const rule = { id: 'both', name: 'Both', version: 1 }
  const [canary, standing, plain] = await Promise.all([
    rules.prepare(counting(), { rule }),
    rules.prepare(counting(), { rule }),
    rules.prepare(saying(pass)),
  ])
  const trial = { ...canary, shadow: true }
  for (let round = 0; round < 2; round += 1) await rules.ask([trial, plain], from('shared'))
  assert.equal(verdicts(await rules.ask([trial, standing], from('shared'))), ['block', 'pass'])
})

test('a message is too large for a rule as it stands when its turn comes', async () => {
  const changing = await rules.prepare(saying({ verdict: 'modify', message: message('short') }))
  const small = await rules.prepare(saying(pass, { limits: { inputBytes: 1_000 } }))
  const answers = await rules.ask([changing, small], { message: message('x'.repeat(1_200)) })
  assert.equal(verdicts(answers), ['modify'], 'it is asked for again')
})

test('a rule that could not tell is undecided, whatever it found until then', async () => {
  const found = { verdict: 'undecided', findings: [{ type: 'word', text: 0, start: 1, end: 3 }] }
  const [answer] = await rules.ask([await rules.prepare(saying(found), { action: 'mask' })])
  assert.is(answer?.verdict, 'undecided')
})

test.run()
