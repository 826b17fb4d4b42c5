import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PluginFetch } from './egress.js'
import { exchange } from './exchange.js'

type Step = number | Error
const failed = (code: string) => Object.assign(new Error(code), { code })

/** Answers step by step; the last one for ever. */
function fetching(steps: readonly Step[], headers: Readonly<Record<string, string>> = {}) {
  const made: string[] = []
  const fetch: PluginFetch = async (url, init) => {
    const step = steps[Math.min(made.length, steps.length - 1)] as Step
    made.push(`${init?.method} ${url} ${String(init?.body)}`)
    if (step instanceof Error) throw step
    return { status: step, header: (name) => headers[name], body: new Uint8Array(), text: () => '', json: () => null }
  }
  return { fetch, made }
}

const asking = (facts: { retries?: boolean; forMs?: number; signal?: AbortSignal } = {}) => {
  let made = 0
  return {
    url: 'https://service.example/',
    init: () => ({ method: 'POST', body: `${(made += 1)}` }),
    signal: facts.signal ?? new AbortController().signal,
    until: Date.now() + (facts.forMs ?? 10_000),
    ...(facts.retries === undefined ? {} : { retries: facts.retries }),
  }
}

test('asks again after what passes, with a request made anew', async () => {
  const { fetch, made } = fetching([503, failed('GH_EGRESS_UNREACHABLE'), 200])
  assert.ok((await exchange(fetch, asking())).ok)
  assert.equal(
    made.map((line) => line.slice(-1)),
    ['1', '2', '3'],
  )
})

test('asks three times at most', async () => {
  const { fetch, made } = fetching([429])
  assert.equal(await exchange(fetch, asking()), { ok: false, message: 'the service answered HTTP 429', status: 429 })
  assert.is(made.length, 3)
})

test('does not ask again after a refusal, a broken exchange, or when it may not', async () => {
  for (const step of [
    400,
    401,
    403,
    failed('GH_EGRESS_FAILED'),
    failed('GH_EGRESS_TIMEOUT'),
    failed('GH_EGRESS_REFUSED'),
  ]) {
    const { fetch, made } = fetching([step])
    assert.not.ok((await exchange(fetch, asking())).ok)
    assert.is(made.length, 1)
  }
  const { fetch, made } = fetching([503])
  await exchange(fetch, asking({ retries: false }))
  assert.is(made.length, 1)
})

test('heeds what the service asks for, and gives up when there is no time for it', async () => {
  const { fetch, made } = fetching([429], { 'retry-after': '60' })
  const started = Date.now()
  assert.not.ok((await exchange(fetch, asking())).ok)
  assert.is(made.length, 1)
  assert.ok(Date.now() - started < 5_000)
})

test('ends with the reason of its signal', async () => {
  const controller = new AbortController()
  const { fetch } = fetching([503], { 'retry-after': '2' })
  const asked = exchange(fetch, asking({ signal: controller.signal }))
  controller.abort(new Error('gone'))
  try {
    await asked
    assert.unreachable()
  } catch (thrown) {
    assert.is((thrown as Error).message, 'gone')
  }
})

test.run()
