import { callContext, startPlugin } from '@gatehouse/sdk/testing'
import { fill } from '@gatehouse/sdk/patterns/samples'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import plugin from './index.js'

test('the engine finds a secret through its hooks', async () => {
  const host = await startPlugin(plugin)
  const prepared = await host.askKeyed('engine.prepare', 'secrets', {
    config: {},
    action: 'mask',
    instance: null,
    rule: null,
  })
  assert.ok(prepared.ok)
  const evaluation = await host.askKeyed('engine.evaluate', 'secrets', {
    state: prepared.ok ? prepared.state : null,
    pass: 0,
    leg: 'response',
    leaves: [{ kind: 'value', text: fill('npm_{a36}') }],
    message: {},
    context: callContext(),
    header: () => undefined,
    rewrite: () => ({}),
  })
  assert.equal(evaluation, {
    verdict: 'findings',
    findings: [{ type: 'npm-token', leaf: 0, start: 0, end: 40, score: 1 }],
  })
  const { engine } = host.options.get('engine.prepare/secrets') ?? {}
  assert.equal([engine?.answers, engine?.fails], ['spans', false])
  await host.stop()
})

test.run()
