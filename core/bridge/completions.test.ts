import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel } from '../domain/cancel-signal.js'
import { createCompletions } from './completions.js'

const LONG = 60_000
const quiet = new Cancel()

async function within(ms: number, wait: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)))
  const outcome = await Promise.race([wait.then(() => true), late])
  clearTimeout(timer)
  return outcome
}

test('a wait ends when one of its URLs is done with, and is told to all who wait', async () => {
  const completions = createCompletions()
  const waits = [completions.wait('crm', ['a', 'b'], LONG, quiet), completions.wait('crm', ['b'], LONG, quiet)]
  completions.done('crm', 'b')
  assert.ok(
    await within(
      1_000,
      Promise.all(waits).then(() => undefined),
    ),
  )
})

test('what was done before anybody waited is known', async () => {
  const completions = createCompletions()
  completions.done('crm', 'a')
  assert.ok(await within(1_000, completions.wait('crm', ['a'], LONG, quiet)))
})

test('another server’s word, and one about another URL, end no wait', async () => {
  const completions = createCompletions()
  const gone = new Cancel()
  const wait = completions.wait('crm', ['a'], LONG, gone)
  completions.done('chat', 'a')
  completions.done('crm', 'b')
  completions.done('crm a', '')
  assert.not(await within(30, wait))
  gone.tell()
  await wait
})

test('a wait ends with its time, with its client, and at once when that has gone', async () => {
  const completions = createCompletions()
  assert.ok(await within(1_000, completions.wait('crm', ['a'], 5, quiet)))
  const gone = new Cancel()
  const wait = completions.wait('crm', ['a'], LONG, gone)
  gone.tell()
  assert.ok(await within(1_000, wait))
  assert.ok(await within(1_000, completions.wait('crm', ['a'], LONG, gone)))
})

test('a thousand are remembered, the oldest is forgotten first', async () => {
  const completions = createCompletions()
  for (let at = 0; at <= 1_000; at += 1) completions.done('crm', `e${at}`)
  const gone = new Cancel()
  const forgotten = completions.wait('crm', ['e0'], LONG, gone)
  assert.not(await within(20, forgotten))
  assert.ok(await within(1_000, completions.wait('crm', ['e1000'], LONG, quiet)))
  gone.tell()
  await forgotten
})

test.run()
