import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { batchReads } from './batched-reads.js'

/** Statements wait until they are answered, by the test. */
function bench() {
  const sent: { readonly keys: readonly string[]; answer(): void; fail(): void }[] = []
  const read = (keys: readonly string[]) =>
    new Promise<readonly { hash: string }[]>((resolve, reject) =>
      sent.push({
        keys,
        answer: () => resolve(keys.filter((key) => key !== 'none').map((hash) => ({ hash }))),
        fail: () => reject(new Error('away')),
      }),
    )
  return { sent, one: batchReads(read) }
}
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

test('what is asked in one turn goes as one statement, each key once; each gets its own row or null', async () => {
  const { sent, one } = bench()
  const asked = ['a', 'b', 'a', 'none'].map(one)
  await turn()
  assert.equal(
    sent.map(({ keys }) => keys),
    [['a', 'b', 'none']],
  )
  sent[0]?.answer()
  assert.equal(await Promise.all(asked), [{ hash: 'a' }, { hash: 'b' }, { hash: 'a' }, null])
})

test('what is asked while a statement is under way goes with a later one', async () => {
  const { sent, one } = bench()
  const first = one('a')
  await turn()
  const second = one('a')
  await turn()
  assert.is(sent.length, 2)
  sent[0]?.answer()
  await first
  sent[1]?.answer()
  await second
})

test('at most four statements are under way; who comes then goes together, and loses nothing by a failure before', async () => {
  const { sent, one } = bench()
  const asked: Promise<unknown>[] = []
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    asked.push(one(key).catch(() => 'failed'))
    await turn()
  }
  assert.is(sent.length, 4)
  sent[0]?.fail()
  await turn()
  assert.equal(sent[4]?.keys, ['e', 'f', 'g'])
  for (const { answer } of sent) answer()
  const [failed, ...rest] = await Promise.all(asked)
  assert.is(failed, 'failed')
  assert.equal(
    rest,
    ['b', 'c', 'd', 'e', 'f', 'g'].map((hash) => ({ hash })),
  )
})

test.run()
