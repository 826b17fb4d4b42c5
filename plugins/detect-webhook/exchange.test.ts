import type { Evaluation } from '@gatehouse/sdk'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answering, evaluated, saying, serve, started } from './testing.js'
import type { Answering } from './testing.js'

const told = (evaluation: Evaluation) => (evaluation.verdict === 'undecided' ? evaluation.message : evaluation.verdict)
const PASS = { verdict: 'pass' }

/** Fails so many times, then passes. */
const failing =
  (times: number, status: number, headers: Readonly<Record<string, string>> = {}): Answering =>
  (received, response, nth) =>
    (nth <= times ? saying('no', status, headers) : saying(PASS))(received, response, nth)

for (const status of [429, 502, 503, 504]) {
  test(`after a ${status} it is asked again`, async () => {
    const { evaluation, received } = await answering(failing(1, status))
    assert.is(evaluation.verdict, 'pass')
    assert.is(received.length, 2)
  })
}

for (const status of [400, 401, 403, 404, 408, 500, 501]) {
  test(`a ${status} is a failure at once`, async () => {
    const { evaluation, received } = await answering(failing(1, status))
    assert.match(told(evaluation), `HTTP ${status}`)
    assert.is(received.length, 1)
  })
}

test('it is asked three times at most, with pauses of 200 and 800 ms and a little more', async () => {
  const times: number[] = []
  const { evaluation } = await answering((received, response, nth) => {
    times.push(performance.now())
    saying('no', 503)(received, response, nth)
  })
  assert.match(told(evaluation), 'HTTP 503')
  assert.is(times.length, 3)
  const [first = 0, second = 0, third = 0] = times
  assert.ok(second - first >= 195, `${second - first}`)
  assert.ok(third - second >= 795, `${third - second}`)
})

test('Retry-After is heeded where it fits into the time, and is a failure where it does not', async () => {
  const started = performance.now()
  const patient = await answering(failing(1, 429, { 'retry-after': '1' }))
  assert.is(patient.evaluation.verdict, 'pass')
  assert.ok(performance.now() - started >= 995)
  const late = await answering(failing(1, 429, { 'retry-after': '60' }))
  assert.match(told(late.evaluation), 'HTTP 429')
  assert.is(late.received.length, 1)
  const dated = { 'retry-after': new Date(Date.now() + 600_000).toUTCString() }
  assert.is((await answering(failing(1, 503, dated))).received.length, 1)
})

test('a verdict ends it, whatever it is', async () => {
  for (const answer of [{ verdict: 'error' }, { verdict: 'block' }, {}, 'rubbish']) {
    const { received } = await answering(saying(answer))
    assert.is(received.length, 1, JSON.stringify(answer))
  }
})

test('a status without a body is no pass', async () => {
  assert.match(told((await answering(saying('', 204))).evaluation), 'empty')
  assert.match(told((await answering(saying('', 200))).evaluation), 'empty')
})

test('any 2xx carries a verdict, whatever its content type', async () => {
  for (const status of [200, 201, 202, 299]) {
    const { evaluation } = await answering(saying(PASS, status, { 'content-type': 'text/html' }))
    assert.is(evaluation.verdict, 'pass', `${status}`)
  }
})

test('a redirect is a failure, and nothing is asked of where it points', async () => {
  const { evaluation, received } = await answering(saying(PASS, 307, { location: '/elsewhere' }))
  assert.is(evaluation.verdict, 'undecided')
  assert.is(received.length, 1)
})

test('who is not there is asked again, and may have come back', async () => {
  const service = await serve(saying(PASS))
  await service.close()
  const host = await started()
  const begun = performance.now()
  const evaluation = await evaluated(host, { url: service.url })
  assert.is(evaluation.verdict, 'undecided')
  assert.is(host.log.length, 2)
  assert.ok(performance.now() - begun >= 995)
})

test('one budget of time holds for all attempts', async () => {
  const begun = performance.now()
  const config = { timeoutMs: 600 }
  const silent = await answering(() => {}, { config })
  assert.is(silent.evaluation.verdict, 'undecided')
  assert.is(silent.received.length, 1)
  const busy = await answering(failing(9, 503), { config })
  assert.is(busy.received.length, 2)
  assert.ok(performance.now() - begun < 3_000)
})

test('the deadline of the call counts where it is nearer', async () => {
  const service = await serve(() => {})
  const host = await started()
  const instance = { id: 'e', name: 'e', config: { url: service.url } }
  const prepared = await host.askKeyed('engine.prepare', 'webhook', { config: {}, action: null, instance, rule: null })
  assert.ok(prepared.ok)
  const begun = performance.now()
  const sample = { config: {}, action: null, instance, leg: 'request', text: 'x' } as const
  const answer = await host.askKeyed('engine.test', 'webhook', sample, { deadline: Date.now() + 300 })
  assert.is(answer.ok && answer.evaluation.verdict, 'undecided')
  assert.ok(performance.now() - begun < 2_000)
  await service.close()
})

test('whoever gives up the call ends the attempt, and the pause before the next', async () => {
  for (const answer of [() => {}, saying('no', 503)] satisfies Answering[]) {
    const controller = new AbortController()
    const service = await serve((received, response, nth) => {
      answer(received, response, nth)
      setTimeout(() => controller.abort(new Error('gone')), 20)
    })
    const evaluating = evaluated(await started(), { url: service.url }, { signal: controller.signal })
    const error = await evaluating.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof Error)
    assert.is(service.received.length, 1)
    await service.close()
  }
})

test('an answer of 16 MiB is read, a larger one is a failure', async () => {
  const sized = (bytes: number) => `${JSON.stringify(PASS)}${' '.repeat(bytes - JSON.stringify(PASS).length)}`
  assert.is((await answering(saying(sized(16 * 1024 * 1024)))).evaluation.verdict, 'pass')
  assert.match(told((await answering(saying(sized(16 * 1024 * 1024 + 1)))).evaluation), 'large')
})

test('an answer may be compressed', async () => {
  const { evaluation } = await answering((_received, response) => {
    response.setHeader('content-encoding', 'gzip').end(gzipSync(JSON.stringify({ verdict: 'block', reason: 'no' })))
  })
  assert.equal(evaluation, { verdict: 'block', reason: 'no' })
})

test('numbers that grow past the limit when they are written anew are a failure', async () => {
  const numbers = Array.from({ length: 1_000_000 }, () => '1e20').join(',')
  const body = `{"jsonrpc":"2.0","id":7,"result":{"content":[],"structuredContent":{"n":[${numbers}]}}}`
  const { evaluation } = await answering(saying(`{"verdict":"modify","modifiedPayload":{"body":${body}}}`))
  assert.match(told(evaluation), 'limit')
})

test.run()
