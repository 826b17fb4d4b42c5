import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { JsonObject } from '@gatehouse/sdk'
import { makeRequest, makeTarget, makeUpstreams } from './testing.js'

/** Real peers: the reference server of the legacy era, and the reference SDK's server of the modern one. */

test('the everything server over streamable HTTP: session, progress, log notes, side stream, end', async () => {
  const everything = await startEverything()
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: everything.url })
  const info = await upstreams.info(target, Date.now() + 20_000)
  assert.is(info.era, 'legacy')
  assert.is(info.version, '2025-11-25')
  const list = await upstreams.request(target, makeRequest({ method: 'tools/list', params: {} }))
  assert.ok((list.result!['tools'] as JsonObject[]).some((tool) => tool['name'] === 'echo'))
  const params = { name: 'echo', arguments: { message: 'grüße' } }
  const echo = await upstreams.request(target, makeRequest({ params }))
  assert.match(JSON.stringify(echo.result), 'grüße')

  const notes: JsonObject[] = []
  const long = { name: 'trigger-long-running-operation', arguments: { duration: 0.4, steps: 4 } }
  await upstreams.request(
    target,
    makeRequest({ params: long, progressToken: 'p', onNotification: (note) => notes.push(note) }),
  )
  const tokens = notes.map((note) => (note['params'] as JsonObject)['progressToken'])
  assert.ok(tokens.length >= 3 && tokens.every((token) => token === 'p'))
  const unknown = await upstreams.request(target, makeRequest({ params: { name: 'no-such-tool', arguments: {} } }))
  assert.ok(unknown.error ?? unknown.result?.['isError'])
  await upstreams.stop()
  await everything.stop()
})

test('the everything server started anew is found again, without an error in between', async () => {
  const first = await startEverything()
  const upstreams = makeUpstreams()
  const target = makeTarget({ url: first.url })
  const params = { name: 'echo', arguments: { message: 'hi' } }
  await upstreams.request(target, makeRequest({ params }))
  await first.stop()
  const second = await startEverything(first.port)
  const reply = await upstreams.request(target, makeRequest({ params }))
  assert.match(JSON.stringify(reply.result), 'hi')
  await upstreams.stop()
  await second.stop()
})

for (const legacy of ['reject', 'stateless'] as const)
  test(`a 2.x server (legacy: ${legacy}) is spoken to in the modern era, list changes included`, async () => {
    const modern = await startModern(legacy)
    const upstreams = makeUpstreams()
    const changed: string[] = []
    const toolsChanged = new Promise<void>((resolve) =>
      upstreams.onListChanged((_, kind) => {
        changed.push(kind)
        resolve()
      }),
    )
    const target = makeTarget({ url: modern.url })
    const info = await upstreams.info(target, Date.now() + 10_000)
    assert.is(info.era, 'modern')
    assert.is(info.serverInfo['name'], 'real')
    const notes: JsonObject[] = []
    const params = { name: 'greet', arguments: { name: 'grüße' } }
    const reply = await upstreams.request(
      target,
      makeRequest({ params, progressToken: 3, onNotification: (note) => notes.push(note) }),
    )
    assert.equal(reply.result?.['content'], [{ type: 'text', text: 'Hello grüße' }])
    assert.is(reply.result?.['resultType'], 'complete')
    assert.is((notes[0]!['params'] as JsonObject)['progressToken'], 3)
    await modern.listening
    modern.notify()
    await toolsChanged
    assert.equal(changed, ['tools'])
    await upstreams.stop()
    await modern.stop()
  })

test('a 2.x server is spoken to in the legacy era when the operator says so', async () => {
  const modern = await startModern('stateless')
  const upstreams = makeUpstreams()
  const params = { name: 'greet', arguments: { name: 'x' } }
  const reply = await upstreams.request(makeTarget({ url: modern.url, protocol: 'legacy' }), makeRequest({ params }))
  assert.is(reply.era, 'legacy')
  assert.equal(reply.result?.['content'], [{ type: 'text', text: 'Hello x' }])
  await upstreams.stop()
  await modern.stop()
})

async function startEverything(port = 0) {
  const chosen = port === 0 ? await freePort() : port
  const main = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js')
  const child = spawn('node', [main, 'streamableHttp'], {
    env: { PATH: process.env['PATH'] ?? '', PORT: String(chosen) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => chunk.includes('listening') && resolve())
    child.on('exit', () => reject(new Error('the everything server did not start')))
  })
  return {
    port: chosen,
    url: `http://127.0.0.1:${chosen}/mcp`,
    stop: () =>
      new Promise<void>((resolve) => {
        child.removeAllListeners('exit')
        child.on('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startModern(legacy: 'reject' | 'stateless') {
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'real', version: '1' }, { capabilities: { tools: { listChanged: true } } })
      const inputSchema = z.object({ name: z.string() })
      server.registerTool('greet', { description: 'Greets', inputSchema }, async ({ name }, ctx) => {
        const progressToken = ctx.mcpReq._meta?.progressToken
        if (progressToken !== undefined)
          await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
        return { content: [{ type: 'text' as const, text: `Hello ${name}` }] }
      })
      return server
    },
    { legacy },
  )
  let listens = () => {}
  const listening = new Promise<void>((resolve) => (listens = resolve))
  const server = createServer(async (req, res) => {
    const gone = new AbortController()
    res.on('close', () => gone.abort())
    const headers = new Headers(
      Object.entries(req.headers).map(([name, value]) => [name, String(value)] as [string, string]),
    )
    const body = req.method === 'POST' ? { body: Buffer.concat(await Readable.from(req).toArray()) } : {}
    const answer = await handler.fetch(
      new Request(`http://127.0.0.1${req.url}`, { method: req.method ?? 'GET', headers, signal: gone.signal, ...body }),
    )
    res.writeHead(answer.status, Object.fromEntries(answer.headers))
    res.flushHeaders()
    if (headers.get('mcp-method') === 'subscriptions/listen') listens()
    if (answer.body)
      Readable.fromWeb(answer.body as ReadableStream)
        .on('error', () => {})
        .pipe(res)
    else res.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    listening,
    notify: () => handler.notify.toolsChanged(),
    async stop() {
      await handler.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test.run()
