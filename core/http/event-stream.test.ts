import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openEventStream } from './event-stream.js'

/** What a client reads of one answer, and what broke the response meanwhile. */
async function answered(answer: (res: ServerResponse) => void): Promise<{ text: string; errors: unknown[] }> {
  const errors: unknown[] = []
  const server = createServer((_req: IncomingMessage, res) => {
    res.on('error', (error) => errors.push(error))
    answer(res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const text = await (await fetch(`http://127.0.0.1:${port}/`)).text()
  await new Promise((resolve) => server.close(resolve))
  return { text, errors }
}

test('a note that comes behind the answer is dropped and breaks nothing', async () => {
  const { text, errors } = await answered((res) => {
    const stream = openEventStream(res)
    stream.note({ n: 1 })
    stream.end('{"last":true}')
    stream.note({ n: 2 })
    stream.end('{"again":true}')
  })
  assert.is(text, ': open\n\nevent: message\ndata: {"n":1}\n\nevent: message\ndata: {"last":true}\n\n')
  assert.equal(errors, [])
})

test.run()
