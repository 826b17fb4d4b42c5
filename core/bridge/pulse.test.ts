import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPulse } from './pulse.js'

const progress = (value: number, total?: number): JsonObject => ({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: 't', progress: value, ...(total === undefined ? {} : { total }) },
})

/** A pulse, and how to wait for so many of its beats while `work` goes on. */
function pulsing(everyMs = 2) {
  const told: JsonObject[] = []
  let onBeat = () => {}
  const tell = (note: JsonObject) => (told.push(note.params as JsonObject), onBeat())
  const pulse = createPulse({ token: 't', tell, everyMs })
  const beats = (count: number) =>
    pulse.during(new Promise<void>((resolve) => (onBeat = () => told.length >= count && resolve())))
  return { pulse, told, beats }
}

test('is silent before, between and after what it waits for', async () => {
  const { told, beats } = pulsing()
  const clock = pulsing()
  await clock.beats(3)
  assert.equal(told, [])
  await beats(1)
  await clock.beats(6)
  assert.is(told.length, 1)
})

test('beats once for several that are waited for, until the last is there', async () => {
  const { pulse, told, beats } = pulsing()
  let end = () => {}
  const long = pulse.during(new Promise<void>((resolve) => (end = resolve)))
  await beats(2)
  const clock = pulsing()
  await clock.beats(3)
  assert.ok(told.length > 2)
  end()
  await long
})

test('never says a total that it has passed, nor a value that is not above all before', async () => {
  const { pulse, told, beats } = pulsing()
  assert.ok(pulse.mayPass(progress(100, 100)))
  await beats(2)
  assert.ok(told.every(({ progress: value, total }) => (value as number) > 100 && total === undefined))
  assert.not(pulse.mayPass(progress(100, 100)))
  assert.ok(pulse.mayPass(progress(101)))
  const own = await beats(3).then(() => told.at(-1)?.progress as number)
  assert.ok(own > 101 && own < 102)
})

test('other notes, and progress without a number, are none of its business', async () => {
  const { pulse, beats } = pulsing()
  await beats(1)
  assert.ok(pulse.mayPass({ method: 'notifications/message', params: { progress: -1 } }))
  assert.ok(pulse.mayPass({ method: 'notifications/progress', params: { progress: 'x' } }))
  assert.ok(pulse.mayPass({ method: 'notifications/progress' }))
})

test('ends with work that fails', async () => {
  const { pulse, told } = pulsing()
  const failed = await pulse.during(Promise.reject(new Error('no'))).catch(({ message }: Error) => message)
  assert.is(failed, 'no')
  await pulsing().beats(3)
  assert.equal(told, [])
})

test.run()
