// time-limit: 120
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { legacy, call } from '../door.js'
import { startGateway } from '../gateway.js'

type Gateway = {
  readonly rules: readonly { readonly name: string; readonly engine: string; readonly alerts: boolean }[]
}

test('the quickstart and gateways that the API makes tell of secrets, and let them pass', async () => {
  const gateway = await startGateway()
  try {
    const first = (await gateway.api('GET', '/gateways/quickstart')) as unknown as Gateway
    const made = (await gateway.api('POST', '/gateways', { slug: 'mine' })) as unknown as Gateway
    for (const { rules } of [first, made])
      assert.equal(
        rules.map(({ name, engine, alerts }) => [name, engine, alerts]),
        [['Tell me of secrets', 'secrets', true]],
      )
    const agent = await gateway.mintToken({ gateway: 'quickstart', host: 'agent' })
    const secret = `ghp_${'a1B2'.repeat(9)}`
    await legacy(agent, call('search_docs', { query: secret }))
    const receipts = (await gateway.recorded(agent)).flatMap(({ legs }) => legs.flatMap((leg) => leg.receipts))
    assert.ok(receipts.some(({ verdict, engine }) => verdict === 'detect' && engine === 'secrets'))
  } finally {
    await gateway.stop()
  }
})

test('the operator says otherwise', async () => {
  const gateway = await startGateway({ yaml: 'version: 1\ndefaultRules: []\n' })
  try {
    const { rules } = (await gateway.api('POST', '/gateways', { slug: 'mine' })) as unknown as Gateway
    assert.equal(rules, [])
  } finally {
    await gateway.stop()
  }
})

test.run()
