import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readBody } from './body.js'
import { createServer, type HttpServer } from './server.js'

const TIMEOUTS = { headers: 200, body: 400, idle: 5_000 }
const POST = 'POST /mcp/house HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n'

/** A door that answers what it read, after a while when it is asked to. */
async function door(req: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    const body = await readBody(req, 1_000)
    await pause(Number(req.headers['x-wait'] ?? 0))
    res.end(`read ${body.length}`)
  } catch {
    res.destroy()
  }
}

async function listening(
  onDoor: () => void = () => undefined,
): Promise<{ server: HttpServer; port: number; stop: () => Promise<void> }> {
  const told: typeof door = (req, res) => (onDoor(), door(req, res))
  const server = createServer({ door: told, middleware: [], tls: null, onBroken: () => undefined, timeouts: TIMEOUTS })
  const port = await server.listen('127.0.0.1', 0)
  return { server, port, stop: () => server.stop(0) }
}

/** What the server says until it hangs up. */
function told(socket: Socket): Promise<string> {
  let text = ''
  return new Promise((resolve, reject) => {
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.on('close', () => resolve(text)).on('error', reject)
  })
}

test('a client that is too slow with its headers is answered 408 and cut off', async () => {
  const { port, stop } = await listening()
  const socket = connect(port, '127.0.0.1', () => socket.write('POST /mcp/house HTTP/1.1\r\nHost: loc'))
  assert.match(await told(socket), /^HTTP\/1\.1 408 /)
  await stop()
})

test('a client that drips its headers gains no time by it', async () => {
  const { port, stop } = await listening()
  const socket = connect(port, '127.0.0.1')
  const drip = setInterval(() => socket.write('X-Drip: 1\r\n'), 20)
  socket.write(POST)
  assert.match(await told(socket), /^HTTP\/1\.1 408 /)
  clearInterval(drip)
  await stop()
})

test('a client that is too slow with its body is answered 408 and cut off', async () => {
  const { port, stop } = await listening()
  const socket = connect(port, '127.0.0.1', () => socket.write(`${POST}\r\n12345`))
  assert.match(await told(socket), /^HTTP\/1\.1 408 /)
  await stop()
})

test('an answer may take longer than a question', async () => {
  const { port, stop } = await listening()
  const answer = await fetch(`http://127.0.0.1:${port}/mcp/house`, {
    method: 'POST',
    body: '1234567890',
    headers: { 'x-wait': String(TIMEOUTS.body * 2) },
  })
  assert.is(await answer.text(), 'read 10')
  await stop()
})

test('an end waits for the answers under way, and for no idle connection', async () => {
  let came: () => void = () => undefined
  const hasCome = new Promise<void>((resolve) => (came = resolve))
  const { server, port } = await listening(() => came())
  const idle = connect(port, '127.0.0.1', () => idle.write('GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n'))
  const gone = told(idle)
  const underWay = fetch(`http://127.0.0.1:${port}/mcp/house`, {
    method: 'POST',
    body: 'x',
    headers: { 'x-wait': '300' },
  })
  await Promise.all([hasCome, new Promise((resolve) => idle.once('data', resolve))])
  await server.stop(10_000)
  assert.is(await (await underWay).text(), 'read 1')
  assert.match(await gone, /^HTTP\/1\.1 404 /)
})

test('an end goes on listening while something is wanted that comes on a connection of its own, within its grace', async () => {
  const { server, port } = await listening()
  const ask = () => fetch(`http://127.0.0.1:${port}/nothing`).then(({ status }) => status)
  let isWanted = true
  const stopped = server.stop(10_000, () => isWanted)
  assert.is(await ask(), 404)
  isWanted = false
  await stopped
  assert.is(await ask().catch(() => 'refused'), 'refused')
  const other = await listening()
  const started = Date.now()
  await other.server.stop(100, () => true)
  assert.ok(Date.now() - started < 5_000)
})

test('a connection on which nothing was asked yet holds up no end', async () => {
  const { server, port } = await listening()
  const [silent, asked] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  asked.write('GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await Promise.all([
    new Promise((resolve) => silent.once('connect', resolve)),
    new Promise((resolve) => asked.once('data', resolve)),
  ])
  const started = Date.now()
  const gone = told(silent)
  await server.stop(10_000)
  await gone
  assert.ok(Date.now() - started < 2_000)
})

test.run()
