// time-limit: 300
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../until.js'
import { PEOPLE } from './canaries.js'
import { answerFeature, nameOf } from './canary-features.js'
import { startCanaryServer, type CanaryServer } from './canary-server.js'
import { mustBeNone, runAll } from './crew.js'
import { answerHostile, caseOf, reached } from './hostile.js'
import { mustLive, startFuzzHouse, troubleIn, type FuzzHouse, type FuzzServer } from './house.js'
import { casesOf, isReplay, SEED } from './plan.js'
import { randomOf } from './random.js'
import { Callers } from './upstream-run.js'

const AT_ONCE = 24
/** Several doors to the same two servers, so that the trouble that one is found in does not keep the others from being tried. */
const EACH = 3
const ERAS = ['modern', 'legacy'] as const
const cases = casesOf('http')

let server: CanaryServer
const LAST = { number: 1, random: randomOf(SEED) }

let house: FuzzHouse
let callers: Callers
test.before(async () => {
  server = await startCanaryServer((told) => {
    const number = told.body['method'] === 'tools/call' ? caseOf(told.params) : null
    return number === null ? answerFeature(told) : answerHostile(told, number)
  })
  const servers = ERAS.flatMap((era) =>
    Array.from({ length: EACH }, (_, n): FuzzServer => ({
      name: `${era}-${n}`,
      setup: { url: `${server.url(era)}?${n}`, protocol: era },
      identity: n === 0 ? 'shared' : 'per-user',
    })),
  )
  const limits = { call: '1500ms', callTotal: '4s', upstreamEvent: '64KiB', upstreamBody: '128KiB' }
  house = await startFuzzHouse(servers, limits)
  callers = new Callers(house, { tools: toolsOf(servers), leaves: 0.05, able: 0.7 })
  await callers.open()
})
test.after(async () => {
  callers?.stop()
  await house?.gateway.stop()
  await server?.stop()
})

/** Public names: the first server of an era has the bare one. */
const toolsOf = (servers: readonly FuzzServer[]) =>
  servers.map(({ name }) => {
    const [era, n] = name.split('-') as ['modern' | 'legacy', string]
    return n === '0' ? nameOf(era, 'act') : `${name}__${nameOf(era, 'act')}`
  })

test(`${cases.total} answers of HTTP servers that something is wrong with reach nobody but who asked`, async () => {
  const findings = await runAll(cases, AT_ONCE, (one) => callers.run(one))
  mustBeNone('http', findings)
  if (!isReplay) assert.ok(reached() > cases.total * 0.8, `only ${reached()} cases reached a server`)
})

test('servers were told nothing by anybody but whose credential came along', () => {
  assert.equal(server.breaches.slice(0, 5), [])
})

test('whoever calls without fault is served afterwards', async () => {
  for (const person of PEOPLE)
    for (const era of ERAS)
      await until(`${person} is served by ${era}`, async () =>
        (await callers.isServed(person, LAST, nameOf(era, 'act'))) ? true : undefined,
      )
})

test('the gateway lives, and nothing broke within', () => {
  mustLive(house.gateway)
  assert.equal(troubleIn(house.gateway).slice(0, 5), [])
})

test.run()
