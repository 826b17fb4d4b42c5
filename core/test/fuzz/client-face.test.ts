// time-limit: 300
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answerFeature } from './canary-features.js'
import { startCanaryServer, type CanaryServer } from './canary-server.js'
import { Clients } from './client-run.js'
import { mustBeNone, runAll } from './crew.js'
import { mustLive, startFuzzHouse, troubleIn, type FuzzHouse } from './house.js'
import { casesOf, isReplay } from './plan.js'

const AT_ONCE = 24
const cases = casesOf('client')

let server: CanaryServer
let house: FuzzHouse
let clients: Clients
test.before(async () => {
  server = await startCanaryServer(answerFeature)
  house = await startFuzzHouse(
    [
      { name: 'modern', setup: { url: server.url('modern'), protocol: 'modern' }, identity: 'per-user' },
      { name: 'legacy', setup: { url: server.url('legacy'), protocol: 'legacy' }, identity: 'per-user' },
    ],
    { requestBody: '64KiB', call: '5s', callTotal: '10s', sessionsPerUser: 100 },
  )
  clients = new Clients(house)
  await clients.open()
})
test.after(async () => {
  clients?.stop()
  await house?.gateway.stop()
  await server?.stop()
})

test(`${cases.total} messages that something is wrong with get answers of their own and harm nobody`, async () => {
  const findings = await runAll(cases, AT_ONCE, (one) => clients.run(one))
  mustBeNone('client', findings)
})

test('servers were told nothing by anybody but whose credential came along', () => {
  assert.equal(server.breaches.slice(0, 5), [])
  // Most messages are refused; that many are not shows that the others were near the mark.
  if (!isReplay) assert.ok(server.calls > cases.total / 20, `only ${server.calls} calls reached a server`)
})

test('the gateway lives, and nothing broke within', () => {
  mustLive(house.gateway)
  assert.equal(troubleIn(house.gateway).slice(0, 5), [])
})

test.run()
