// time-limit: 90
import { connect, type Socket } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLogReader } from '../../record/query.js'
import { Pool } from 'pg'
import { call, legacy } from '../door.js'
import { answering, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'

/** Who has no right here costs neither memory nor room in the record. */

let server: FakeServer
let gateway: RunningGateway
let known: Access
test.before(async () => {
  server = await fakeUpstream(answering({ content: [] }))
  gateway = await startGateway({ yaml: yamlOf({ one: server }) })
  known = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

/** Sends the head of a request that promises a body, and a sign or two of it. */
async function begin(headers: string): Promise<{ socket: Socket; answer: Promise<string> }> {
  const { port } = new URL(gateway.url)
  const socket = connect(Number(port), '127.0.0.1')
  let text = ''
  const answer = new Promise<string>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.includes('\r\n\r\n')) resolve(text)
    })
    socket.on('error', () => undefined).on('close', () => resolve(text))
  })
  const head = `POST /mcp/house HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\n${headers}\r\n\r\n`
  socket.write(head + (headers.includes('chunked') ? '2\r\n{"\r\n' : '{"'))
  return { socket, answer }
}

const LARGE = 'Content-Length: 15000000'
for (const [what, headers, status] of [
  ['no token', LARGE, 401],
  ['no token and a short body', 'Content-Length: 60', 401],
  ['no token and a body without end', 'Transfer-Encoding: chunked', 401],
  ['an unknown token', `${LARGE}\r\nAuthorization: Bearer API_${'x'.repeat(43)}`, 401],
  ['a token of nobody here', `${LARGE}\r\nAuthorization: Bearer other`, 401],
] as const)
  test(`${what} is refused before the body has come`, async () => {
    const { socket, answer } = await begin(headers)
    const text = await answer
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} `))
    assert.match(text, /www-authenticate: Bearer .*resource_metadata="http/i)
    socket.destroy()
  })

test('a disabled host is refused before the body has come, too', async () => {
  const off = await gateway.mintToken({ gateway: 'house', host: 'off' })
  await gateway.api('PATCH', '/hosts/off', { enabled: false })
  const { socket, answer } = await begin(`${LARGE}\r\nAuthorization: Bearer ${off.token}`)
  assert.match(await answer, /^HTTP\/1.1 403 /)
  socket.destroy()
})

test('a large message of somebody who is known is read and answered', async () => {
  const { status, json } = await legacy(known, call('act', { text: 'x'.repeat(300_000) }))
  assert.is(status, 200)
  assert.ok(json.result)
})

test('a flood of strangers is a few rows and a count, and nobody who is known is missing', async () => {
  const pool = new Pool({ connectionString: gateway.databaseUrl ?? '', max: 1 })
  const { port } = new URL(gateway.url)
  const stranger = { ...known, url: `http://127.0.0.1:${port}/mcp/house`, token: `API_${'y'.repeat(43)}` }
  const answers = await Promise.all(Array.from({ length: 300 }, () => legacy(stranger, call('act'))))
  assert.ok(answers.every(({ status }) => status === 401))
  assert.is((await gateway.recorded(known, { method: 'tools/call' })).filter(({ legs }) => legs.length === 4).length, 1)
  const rows = await until('the refusals are on record', async () => {
    const found = await createLogReader(pool).logs({ outcome: 'auth_refused', limit: 500 })
    return found.rows.length >= 20 ? found.rows : undefined
  })
  assert.ok(rows.length < 60, `${rows.length} rows`)
  await pool.end()
})

test.run()
