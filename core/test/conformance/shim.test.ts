import { once } from 'node:events'
import { createServer, request, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

interface Shim {
  startShim(want: { gateway: string; token: string }): Promise<{ url: string; stop(): Promise<void> }>
  nameGateway(value: string, port: number, host: string): string
}

const script = new URL('../../../../scripts/conformance/shim.mjs', import.meta.url)
const { startShim, nameGateway } = (await import(script.href)) as Shim

const named = (value: string) => nameGateway(value, 5000, 'localhost:4000')

test('its own name becomes that of the gateway, in Host and in Origin', () => {
  assert.is(named('localhost:5000'), 'localhost:4000')
  assert.is(named('127.0.0.1:5000'), 'localhost:4000')
  assert.is(named('http://localhost:5000'), 'http://localhost:4000')
})

test('every other name stays as it is', () => {
  for (const value of [
    'evil.example.com',
    'http://evil.example.com',
    'localhost:5001',
    'evil-localhost:5000',
    'null',
  ]) {
    assert.is(named(value), value)
  }
})

test('adds the token and the name of the gateway, and nothing else', async () => {
  const gateway = createServer((req, res) => res.end(JSON.stringify(req.headers))).listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  const host = `127.0.0.1:${(gateway.address() as AddressInfo).port}`
  const shim = await startShim({ gateway: `http://${host}/mcp/one`, token: 'secret' })
  try {
    const own = await headersSeen(shim.url, { 'x-one': '1' })
    assert.equal(own, { 'x-one': '1', host, connection: 'close', authorization: 'Bearer secret' })
    const foreign = await headersSeen(shim.url, { host: 'evil.example.com', origin: 'http://evil.example.com' })
    assert.is(foreign.host, 'evil.example.com')
    assert.is(foreign.origin, 'http://evil.example.com')
  } finally {
    await shim.stop()
    gateway.close()
  }
})

async function headersSeen(url: string, headers: Record<string, string>): Promise<IncomingHttpHeaders> {
  const asked = request(url, { headers, agent: false }).end()
  const [answer] = (await once(asked, 'response')) as [NodeJS.ReadableStream]
  return (await json(answer)) as IncomingHttpHeaders
}

test.run()
