// time-limit: 300
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../until.js'
import { PEOPLE } from './canaries.js'
import { mustBeNone, runAll } from './crew.js'
import { mustLive, startFuzzHouse, troubleIn, type FuzzHouse, type FuzzServer } from './house.js'
import { casesOf, isReplay, SEED } from './plan.js'
import { randomOf } from './random.js'
import { Callers } from './upstream-run.js'

const AT_ONCE = 16
const KINDS = ['modern', 'legacy', 'chatty'] as const
const CHILD = fileURLToPath(new URL('hostile-child.js', import.meta.url))
const cases = casesOf('stdio')

const LAST = { number: 1, random: randomOf(SEED) }

let house: FuzzHouse
let callers: Callers
test.before(async () => {
  const servers = KINDS.map((kind): FuzzServer => ({
    name: kind,
    setup: { command: [process.execPath, CHILD, kind, SEED], protocol: kind === 'modern' ? kind : 'legacy' },
    identity: 'open',
  }))
  house = await startFuzzHouse(servers, { call: '700ms', callTotal: '2s', upstreamEvent: '64KiB' })
  callers = new Callers(house, { tools: KINDS.map((kind) => `${kind}-act`), leaves: 0.15, able: 0.02 })
  await callers.open()
})
test.after(async () => {
  callers?.stop()
  await house?.gateway.stop()
})

test(`${cases.total} answers of commands that something is wrong with reach nobody but who asked`, async () => {
  const findings = await runAll(cases, AT_ONCE, (one) => callers.run(one))
  mustBeNone('stdio', findings)
  if (!isReplay) assert.ok(callers.served > cases.total / 4, `only ${callers.served} calls were served`)
})

test('whoever calls without fault is served afterwards', async () => {
  for (const person of PEOPLE)
    await until(`${person} is served`, async () =>
      (await callers.isServed(person, LAST, 'chatty-act')) ? true : undefined,
    )
})

test('the gateway lives, and nothing broke within', () => {
  mustLive(house.gateway)
  assert.equal(troubleIn(house.gateway).slice(0, 5), [])
})

test.run()
