import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { MessageRecord } from '../domain/record.js'
import { foldRefusals, type FoldOptions } from './refusal-fold.js'
import { Trail } from './trail.js'

function refusal(ip: string | null, error = 'GH_AUTHENTICATE_INVALID', method = 'ping'): MessageRecord {
  const trail = new Trail({ at: Date.now(), method, rpcId: '1', ip, userAgent: null, bytes: 0 }, 0)
  trail.leg('auth_refused', { httpStatus: 401, error })
  return trail.close('auth_refused', 401, null)
}

function bench(options: Partial<FoldOptions> = {}) {
  const written: MessageRecord[] = []
  const recorder = { append: async (record: MessageRecord) => void written.push(record) }
  const fold = foldRefusals(recorder, { byMethod: false, first: 2, everyMs: 2 ** 30, ...options })
  return { fold, errors: () => written.map(({ legs }) => legs.at(-1)?.error), written }
}

test('the first are written one by one at once, the rest as one with their number', async () => {
  const { fold, errors, written } = bench()
  for (let n = 0; n < 100; n += 1) await fold.append(refusal('192.0.2.1', 'E', `method-${n}`))
  assert.equal(errors(), ['E', 'E'])
  await fold.flush()
  assert.match(String(errors()[2]), /^E, 98 more like it within/)
  assert.is(written[2]?.ip, '192.0.2.1')
  assert.is(new Set(written.map(({ id }) => id)).size, 3)
  await fold.flush()
  assert.is(written.length, 3, 'what was told is not told again')
  await fold.stop()
})

test('another address, another reason and another status are other kinds', async () => {
  const { fold, written } = bench({ first: 1 })
  for (const ip of ['192.0.2.1', '192.0.2.2']) for (const error of ['A', 'B']) await fold.append(refusal(ip, error))
  assert.is(written.length, 4)
  await fold.stop()
})

test('what was asked for counts only where a stranger cannot make it up', async () => {
  const { fold, written } = bench({ first: 1, byMethod: true })
  for (const method of ['auth/signin', 'oauth/token']) await fold.append(refusal('192.0.2.1', 'A', method))
  assert.is(written.length, 2)
  await fold.stop()
})

test('addresses of one IPv6 network are one', async () => {
  const { fold, written } = bench({ first: 1 })
  for (const ip of ['2001:db8:1:2::7', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::']) await fold.append(refusal(ip))
  await fold.append(refusal('2001:db8:1:3::7'))
  await fold.append(refusal('::1'))
  assert.is(written.length, 3)
  await fold.stop()
})

test('a flood from everywhere is bounded, too', async () => {
  const { fold, written } = bench({ first: 1, kinds: 10 })
  for (let n = 0; n < 5_000; n += 1) await fold.append(refusal(`10.0.${n >> 8}.${n & 255}`))
  assert.is(written.length, 11)
  await fold.stop()
  assert.is(written.length, 12)
})

test('whoever makes up reasons fills neither the record nor the room of others', async () => {
  const { fold, written } = bench({ first: 1, kinds: 100 })
  for (let n = 0; n < 5_000; n += 1) await fold.append(refusal('192.0.2.66', `redirect_uris: x${n}:y`))
  assert.ok(written.length < 50, String(written.length))
  const before = written.length
  for (let n = 0; n < 30; n += 1) await fold.append(refusal(`10.0.0.${n}`))
  assert.is(written.length, before + 30)
  await fold.stop()
})

test('every other message goes through as it is', async () => {
  const { fold, written } = bench({ first: 1 })
  const answered = { ...refusal('192.0.2.1'), outcome: 'proxy_response_success' as const }
  for (let n = 0; n < 5; n += 1) await fold.append(answered)
  assert.is(written.length, 5)
  await fold.stop()
})

test.run()
