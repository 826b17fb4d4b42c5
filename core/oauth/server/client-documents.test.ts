import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDocumentFetch } from './client-documents.js'

test('no more documents are fetched at once than there may be, also when all were allowed at once', async () => {
  let open = 0
  let most = 0
  const ends: (() => void)[] = []
  const documents = createDocumentFetch({
    async fetch() {
      most = Math.max(most, (open += 1))
      await new Promise<void>((resolve) => ends.push(resolve))
      open -= 1
      return new Response('{}')
    },
  })
  const ids = Array.from({ length: 50 }, (_, n) => `https://a.example/${n}`)
  assert.ok(ids.every((id) => documents.allows(id)))
  const answers = Promise.allSettled(ids.map((id) => documents.fetch(id)))
  assert.is(documents.allows('https://a.example/x'), false)
  while (ends.length > 0) {
    ends.pop()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await answers
  assert.is(most, 8)
  assert.is(documents.allows('https://a.example/x'), true)
  // Who came too early is no failure of its own document.
  const late = documents.fetch(ids[49] ?? '')
  ends.pop()?.()
  assert.is((await late).status, 200)
})

test.run()
