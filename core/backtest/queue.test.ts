import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ReplayRows } from '../db/repositories/replays.js'
import type { ReplayJob, Told } from '../domain/replay.js'
import { until } from '../test/until.js'
import { createReplayQueue } from './queue.js'

const JOB: Omit<ReplayJob, 'id'> = {
  gatewayId: 'g',
  rules: [],
  since: 0,
  until: 1,
  most: { messages: 1, ms: 1 },
  bodies: false,
  external: false,
  plugins: [],
}
const BY = { userId: null, spec: {} }
const silent = { info: () => undefined, warn: () => undefined }

/** Rows in memory; each is made when the test says so. */
function bench() {
  const ends: string[] = []
  const gates: (() => void)[] = []
  let made = 0
  const rows: ReplayRows = {
    insert: () => new Promise((resolve) => gates.push(() => resolve(`r${(made += 1)}`))),
    find: async () => null,
    begin: async () => undefined,
    tell: async () => undefined,
    finish: async (id, state) => void ends.push(`${id} ${state}`),
    cancel: async () => true,
    beat: async () => [],
    sweep: async () => 0,
  }
  const started: string[] = []
  const run = (job: ReplayJob) => {
    started.push(job.id)
    let cancel = (): void => undefined
    const ended = new Promise<Told>((_, reject) => (cancel = () => reject(new Error('cancelled'))))
    return { ended, cancel: () => cancel() }
  }
  const queue = createReplayQueue({ rows, run, logger: silent })
  const open = () => gates.splice(0).forEach((gate) => gate())
  return { queue, open, started, ends }
}
const settled = (work: Promise<string>) =>
  work.then(
    () => 'begun',
    (error: { code: string }) => error.code,
  )

test('many asked for in the same moment are no more than may wait', async () => {
  const { queue, open, started } = bench()
  const asked = Array.from({ length: 25 }, () => settled(queue.start(JOB, BY)))
  open()
  const answers = await Promise.all(asked)
  assert.is(answers.filter((one) => one === 'begun').length, 10)
  assert.is(answers.filter((one) => one === 'GH_BACKTEST_BUSY').length, 15)
  await until('the first runs', () => started[0])
  assert.is(started.length, 1)
  await queue.stop()
})

test('one whose row is made while the gateway stops never runs, and is told to have failed', async () => {
  const { queue, open, started, ends } = bench()
  const asked = settled(queue.start(JOB, BY))
  await queue.stop()
  open()
  assert.is(await asked, 'GH_BACKTEST_BUSY')
  assert.equal([started, ends], [[], ['r1 failed']])
})

test.run()
