import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject } from '@gatehouse/sdk'
import { DEFAULT_LIMITS } from '../domain/nouns.js'
import { failure, makeRequest, makeTarget, makeUpstreams } from './testing.js'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-stdio-'))
const everything = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js')
const childEnv = { ...process.env, GATEHOUSE_MASTER_KEY: 'secret', DATABASE_URL: 'secret' }
const seconds = (n: number) => Date.now() + n * 1_000
const list = () => makeRequest({ method: 'tools/list', params: {}, deadline: seconds(30) })
const tool = (name: string, args: JsonObject = {}, more: object = {}) =>
  makeRequest({ params: { name, arguments: args }, deadline: seconds(10), ...more })

test.after(() => rmSync(folder, { recursive: true, force: true }))

/** A server of newline-delimited JSON: `answer(message, send)` is the body of the script. */
function script(name: string, answer: string): string[] {
  const path = join(folder, `${name}.mjs`)
  writeFileSync(
    path,
    `import { createInterface } from 'node:readline'
     import { appendFileSync } from 'node:fs'
     appendFileSync(${JSON.stringify(`${path}.starts`)}, process.pid + '\\n')
     const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n')
     const info = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'fake', version: '1' } }
     const initialize = (m) => m.method === 'initialize' && (send({ id: m.id, result: info }), true)
     const refuse = (m) => m.id !== undefined && send({ id: m.id, error: { code: -32601, message: 'no' } })
     createInterface({ input: process.stdin }).on('line', (line) => { const m = JSON.parse(line); ${answer} })`,
  )
  return ['node', path]
}

const starts = (command: readonly string[]) =>
  readFileSync(`${command[1]}.starts`, 'utf8').trim().split('\n').map(Number)
const isAlive = (pid: number) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return process.platform === 'linux'
      ? false
      : execFileSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }) !== ''
  }
}
async function until(fact: () => boolean, ms = 5_000): Promise<void> {
  for (const end = Date.now() + ms; !fact(); await new Promise((resolve) => setTimeout(resolve, 20)))
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${fact.toString()}`)
}

test('the everything server over stdio: era found out, calls, progress, environment, end', async () => {
  const upstreams = makeUpstreams({ childEnv })
  const command = ['node', everything, 'stdio']
  const target = makeTarget({ command }, { env: { OWN: 'mine' } })
  const info = await upstreams.info(target, seconds(30))
  assert.is(info.era, 'legacy')
  assert.is(info.version, '2025-11-25')
  const tools = (await upstreams.request(target, list())).result!['tools'] as JsonObject[]
  assert.ok(tools.some(({ name }) => name === 'echo'))
  const echo = await upstreams.request(target, tool('echo', { message: 'grüße 💶' }))
  assert.match(JSON.stringify(echo.result), 'grüße 💶')
  assert.is(echo.httpStatus, null)
  assert.ok(echo.bytesSent > 50 && echo.bytesReceived > 50)

  const notes: JsonObject[] = []
  const more = { progressToken: 'p', onNotification: (note: JsonObject) => notes.push(note) }
  await upstreams.request(target, tool('trigger-long-running-operation', { duration: 0.3, steps: 3 }, more))
  const progress = notes.filter(({ method }) => method === 'notifications/progress')
  assert.ok(progress.length >= 2 && progress.every(({ params }) => (params as JsonObject)['progressToken'] === 'p'))

  const env = JSON.stringify((await upstreams.request(target, tool('get-env'))).result)
  assert.match(env, 'OWN')
  assert.not.match(env, 'GATEHOUSE_')
  assert.not.match(env, 'DATABASE_URL')
  assert.not.match(env, 'secret')
  await upstreams.stop()
})

test('npx runs a package, and nothing of it is left after the end', async () => {
  const upstreams = makeUpstreams({ childEnv })
  const command = ['npx', '-y', '@modelcontextprotocol/server-everything']
  const cwd = join(everything, '..', '..', '..', '..', '..')
  const target = makeTarget({ command, cwd, protocol: 'legacy' })
  const reply = await upstreams.request(target, tool('echo', { message: 'hi' }, { deadline: seconds(60) }))
  assert.match(JSON.stringify(reply.result), 'hi')
  const mine = descendants()
  assert.ok(mine.length >= 2, 'npx and the server below it')
  await upstreams.stop()
  await until(() => mine.every((pid) => !isAlive(pid)))
})

test('a modern server is found out in a process that is thrown away', async () => {
  const command = script(
    'modern',
    `const P = 'io.modelcontextprotocol/'
     const ok = (result) => send({ id: m.id, result: { resultType: 'complete', ...result } })
     if (m.params?._meta?.[P + 'protocolVersion'] !== '2026-07-28') process.exit(9)
     if (m.method === 'server/discover') ok({ supportedVersions: ['2026-07-28'], capabilities: { tools: { listChanged: true } } })
     else if (m.method === 'subscriptions/listen') send({ method: 'notifications/tools/list_changed' })
     else ok({ params: m.params })`,
  )
  const upstreams = makeUpstreams({ childEnv })
  const changed = new Promise<string>((resolve) => upstreams.onListChanged((_, kind) => resolve(kind)))
  const reply = await upstreams.request(makeTarget({ command }), tool('x'))
  assert.is(reply.era, 'modern')
  assert.is(await changed, 'tools')
  assert.is(starts(command).length, 2)
  await upstreams.stop()
})

test('a modern child tells of resources on one listen, which the next one takes the place of', async () => {
  const command = script(
    'telling',
    `globalThis.seen ??= []
     const P = 'io.modelcontextprotocol/'
     const capabilities = { resources: { subscribe: true, listChanged: true } }
     const ok = (result) => send({ id: m.id, result: { resultType: 'complete', ...result } })
     if (m.method.startsWith('subscriptions') || m.method.startsWith('notifications')) seen.push([m.method, m.id ?? m.params.requestId])
     if (m.method === 'server/discover') ok({ supportedVersions: ['2026-07-28'], capabilities })
     else if (m.method === 'subscriptions/listen') {
       const _meta = { [P + 'subscriptionId']: m.id }
       send({ method: 'notifications/subscriptions/acknowledged', params: { _meta, notifications: m.params.notifications } })
       for (const uri of m.params.notifications.resourceSubscriptions ?? [])
         send({ method: 'notifications/resources/updated', params: { _meta, uri } })
     } else ok({ seen })`,
  )
  const notes: JsonObject[] = []
  const upstreams = makeUpstreams({ childEnv, onServerNote: (_, note) => notes.push(note) })
  const target = makeTarget({ command, protocol: 'modern' })
  assert.equal([...(await upstreams.listen(target, new Set(['a:1']), seconds(10)))], ['a:1'])
  await until(() => notes.length > 0)
  assert.is((notes[0]!['params'] as JsonObject)['uri'], 'a:1')
  const { result } = await upstreams.request(target, tool('x'))
  const [first, second] = ['gatehouse-listen-1', 'gatehouse-listen-2']
  assert.equal(result?.['seen'], [
    ['subscriptions/listen', first],
    ['subscriptions/listen', second],
    ['notifications/cancelled', first],
  ])
  await upstreams.stop()
})

test('a server that ends at the probe, or says nothing to it, is legacy and runs all the same', async () => {
  const rest = `else if (!initialize(m) && m.id !== undefined) send({ id: m.id, result: { ok: true } })`
  for (const [name, probe] of [
    ['exits', 'process.exit(3)'],
    ['silent', 'console.error("hm?")'],
  ] as const) {
    const command = script(name, `if (m.method === 'server/discover') ${probe}; ${rest}`)
    const upstreams = makeUpstreams({ childEnv, timing: { probe: 100 } })
    const reply = await upstreams.request(makeTarget({ command }), tool('x'))
    assert.equal(reply.result, { ok: true })
    assert.is(reply.era, 'legacy')
    await upstreams.stop()
    assert.ok(starts(command).every((pid) => !isAlive(pid)))
  }
})

test('lines that are no JSON are skipped; a broken answer fails its call, and no other', async () => {
  const command = script(
    'broken',
    `if (initialize(m)) process.stdout.write('Welcome!\\n{half\\n[1]\\n')
     else if (m.params?.name === 'null') process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id: m.id, result: null }) + '\\n')
     else if (m.params?.name === 'both') send({ id: m.id, result: {}, error: { code: 1, message: 'x' } })
     else if (m.params?.name === 'other') { send({ id: 999, result: {} }); send({ id: m.id, result: { ok: 1 } }) }
     else if (m.params?.name === 'error') send({ id: m.id, error: { code: -32602, message: 'no', data: 1 } })
     else if (m.method === 'tools/call' && m.params.name === 'ask') send({ id: 'q', method: 'ping' }), globalThis.asked = m.id
     else if (m.id === 'q') send({ id: globalThis.asked, result: { answer: m } })`,
  )
  const upstreams = makeUpstreams({ childEnv })
  const target = makeTarget({ command, protocol: 'legacy' })
  const both = upstreams.request(target, tool('ask'))
  assert.match((await failure(upstreams.request(target, tool('null')))).message, 'a result that is no object')
  assert.match((await failure(upstreams.request(target, tool('both')))).message, 'both a result and an error')
  assert.equal((await upstreams.request(target, tool('other'))).result, { ok: 1 })
  assert.equal((await upstreams.request(target, tool('error'))).error, { code: -32602, message: 'no', data: 1 })
  assert.equal((await both).result, { answer: { jsonrpc: '2.0', id: 'q', result: {} } })
  await upstreams.stop()
})

test('a deadline and a caller that goes away are told to the server under our own id', async () => {
  const command = script(
    'cancelled',
    `if (initialize(m)) return
     if (m.method === 'notifications/cancelled') globalThis.told = [...(globalThis.told ?? []), m.params.requestId]
     else if (m.params?.name === 'told') send({ id: m.id, result: { told: globalThis.told } })`,
  )
  const upstreams = makeUpstreams({ childEnv })
  const target = makeTarget({ command, protocol: 'legacy' })
  await upstreams.info(target, seconds(10))
  const late = await failure(upstreams.request(target, tool('a', {}, { deadline: Date.now() + 50 })))
  assert.is(late.code, 'GH_UPSTREAM_TIMEOUT')
  assert.match(late.message, 'Server "crm" did not answer within 0.')
  const abort = new AbortController()
  const gone = failure(upstreams.request(target, tool('b', {}, { signal: abort.signal })))
  abort.abort()
  assert.is((await gone).code, 'GH_UPSTREAM_CANCELLED')
  const told = await upstreams.request(target, tool('told'))
  assert.equal(told.result, { told: [2, 3] })
  await upstreams.stop()
})

test('what a server logs is no other call’s while one that was given up may still be at work', async () => {
  const command = script(
    'chatty',
    `if (initialize(m)) return
     globalThis.first ??= m.method === 'tools/call' ? m.id : undefined
     if (m.method !== 'tools/call' || m.id === first) return
     if (m.params.name === 'late') send({ id: first, result: {} })
     send({ method: 'notifications/message', params: { level: 'info', data: 'of whom?' } })
     send({ id: m.id, result: {} })`,
  )
  const upstreams = makeUpstreams({ childEnv })
  const target = makeTarget({ command, protocol: 'legacy' })
  await upstreams.info(target, seconds(10))
  const heard: string[] = []
  const call = (name: string) => upstreams.request(target, tool(name, {}, { onNotification: () => heard.push(name) }))
  const given = await failure(upstreams.request(target, tool('first', {}, { deadline: Date.now() + 50 })))
  assert.is(given.code, 'GH_UPSTREAM_TIMEOUT')
  await call('second')
  assert.equal(heard, [], 'it may be the log of the first')
  await call('late')
  assert.equal(heard, ['late'], 'the first was answered: there is but one left')
  await upstreams.stop()
})

test('when the process dies its calls fail at once with its last words in the detail, and it is started again', async () => {
  const command = script(
    'dies',
    `if (initialize(m)) return
     if (m.params?.name === 'die') { console.error('out of cheese'); setTimeout(() => process.exit(7), 20) }
     if (m.params?.name === 'live') send({ id: m.id, result: { ok: true } })`,
  )
  const upstreams = makeUpstreams({ childEnv, timing: { restart: 100 } })
  const target = makeTarget({ command, protocol: 'legacy' })
  await upstreams.info(target, seconds(10))
  const errors = await Promise.all(['die', 'wait'].map((name) => failure(upstreams.request(target, tool(name)))))
  const died = Date.now()
  for (const error of errors) {
    assert.is(error.code, 'GH_UPSTREAM_UNREACHABLE')
    assert.match(error.message, 'Server "crm" ended (exit code 7)')
    assert.is(error.detail, 'out of cheese')
  }
  assert.is(upstreams.state(target.server.id).up, false)
  assert.equal((await upstreams.request(target, tool('live'))).result, { ok: true })
  assert.ok(Date.now() - died >= 90, 'not before the pause')
  assert.is(upstreams.state(target.server.id).up, true)
  assert.is(starts(command).length, 2)
  await upstreams.stop()
})

test('a process that runs a tool and then dies is started again, and the tool is not', async () => {
  const ran = join(folder, 'ran')
  const command = script(
    'runs',
    `if (initialize(m) || m.id === undefined) return
     appendFileSync(${JSON.stringify(ran)}, m.method + '\\n'); process.exit(1)`,
  )
  const upstreams = makeUpstreams({ childEnv, timing: { restart: 1 } })
  const target = makeTarget({ command, protocol: 'legacy' })
  for (let n = 1; n <= 2; n++) {
    assert.is((await failure(upstreams.request(target, tool('act')))).data?.['retryable'], false)
    assert.is(readFileSync(ran, 'utf8'), 'tools/call\n'.repeat(n))
  }
  await upstreams.stop()
})

test('a command that does not exist, and one that ends at once, say so', async () => {
  const upstreams = makeUpstreams({ childEnv, timing: { restart: 1 } })
  const absent = makeTarget({ command: ['no-such-command-here'] })
  const error = await failure(upstreams.request(absent, tool('x')))
  assert.is(error.code, 'GH_UPSTREAM_UNREACHABLE')
  assert.match(error.message, 'exit code 127')
  assert.match(String(error.detail), 'not found')
  const elsewhere = makeTarget({ id: 'b', command: ['node'], cwd: join(folder, 'nowhere') })
  assert.match((await failure(upstreams.request(elsewhere, tool('x')))).message, 'ENOENT')
  await upstreams.stop()
})

test('a line over the limit ends the process', async () => {
  const command = script('long', `if (!initialize(m)) send({ id: m.id, result: { text: 'x'.repeat(5000) } })`)
  const upstreams = makeUpstreams({ childEnv, limits: () => ({ ...DEFAULT_LIMITS, upstreamEvent: 4_000 }) })
  const error = await failure(upstreams.request(makeTarget({ command, protocol: 'legacy' }), tool('x')))
  assert.is(error.code, 'GH_UPSTREAM_TOO_LARGE')
  await until(() => starts(command).every((pid) => !isAlive(pid)))
  await upstreams.stop()
})

test('a server that reads nothing is sent no more than the limit', async () => {
  const upstreams = makeUpstreams({ childEnv, limits: () => ({ ...DEFAULT_LIMITS, upstreamEvent: 200_000 }) })
  // Without a timer it would end, having nothing left to do.
  const deaf = `if (!initialize(m)) { process.stdin.pause(); setInterval(() => {}, 1_000) }`
  const target = makeTarget({ command: script('deaf', deaf), protocol: 'legacy' })
  const text = 'x'.repeat(100_000)
  const told: string[] = []
  const asked = Array.from({ length: 8 }, () =>
    failure(upstreams.request(target, tool('t', { text }))).then((error) => told.push(error.message)),
  )
  await until(() => told.length >= 3)
  for (const message of told) assert.match(message, 'does not read what it is sent')
  await upstreams.stop()
  await Promise.all(asked)
})

test('there are no more processes than the limit, and one for each credential', async () => {
  const command = script(
    'capped',
    `if (!initialize(m) && m.id !== undefined) send({ id: m.id, result: { pid: process.pid } })`,
  )
  const upstreams = makeUpstreams({ childEnv, limits: () => ({ ...DEFAULT_LIMITS, stdioProcesses: 2 }) })
  const target = (key: string) => ({ ...makeTarget({ command, protocol: 'legacy' }), key })
  const pids = await Promise.all(['a', 'a', 'b'].map((key) => upstreams.request(target(key), tool('x'))))
  assert.is(new Set(pids.map(({ result }) => result!['pid'])).size, 2)
  const error = await failure(upstreams.request(target('c'), tool('x')))
  assert.is(error.code, 'GH_UPSTREAM_UNREACHABLE')
  assert.match(error.message, '2 processes run, which is the limit')
  await upstreams.forget(target('a').server.id)
  assert.ok(starts(command).every((pid) => !isAlive(pid)))
  assert.ok((await upstreams.request(target('c'), tool('x'))).result)
  await upstreams.stop()
})

test('an idle process is ended', async () => {
  const command = script('idle', `if (!initialize(m) && m.id !== undefined) send({ id: m.id, result: {} })`)
  const upstreams = makeUpstreams({ childEnv, timing: { idle: 100 } })
  await upstreams.request(makeTarget({ command, protocol: 'legacy' }), tool('x'))
  await until(() => starts(command).every((pid) => !isAlive(pid)))
  await upstreams.stop()
})

test('a process that ignores the end of stdin and SIGTERM is killed, with what it started', async () => {
  const path = join(folder, 'stubborn.starts')
  const command = script(
    'stubborn',
    `if (initialize(m)) return
     const { spawn } = await import('node:child_process')
     process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)
     const { pid } = spawn('sh', ['-c', 'trap "" TERM; sleep 1000 & wait'], { stdio: 'ignore' })
     send({ id: m.id, result: { pid } })`.replace(
      'if (initialize(m)) return',
      'if (initialize(m) || m.id === undefined) return;',
    ),
  )
  writeFileSync(command[1]!, readFileSync(command[1]!, 'utf8').replace("'line', (line)", "'line', async (line)"))
  const upstreams = makeUpstreams({ childEnv, timing: { terminate: 50, kill: 50 } })
  const reply = await upstreams.request(makeTarget({ command, protocol: 'legacy' }), tool('x'))
  const pids = [...starts(command), Number(reply.result!['pid'])]
  assert.ok(pids.every(isAlive), path)
  await upstreams.stop()
  await until(() => pids.every((pid) => !isAlive(pid)))
})

test('commands are not run without an environment to run them in', async () => {
  const upstreams = makeUpstreams()
  assert.match((await failure(upstreams.request(makeTarget({ command: ['node'] }), tool('x')))).message, 'not run here')
  await upstreams.stop()
})

test('kill -9 of the gateway leaves no process behind, nor those below it', async () => {
  const command = script(
    'orphan',
    `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)
     if (initialize(m) || m.id === undefined) return
     import('node:child_process').then(({ spawn }) => {
       const { pid } = spawn('sh', ['-c', 'trap "" TERM; sleep 1000 & echo $!; wait'], { stdio: ['ignore', 'ignore', 'ignore'] })
       send({ id: m.id, result: { pids: [process.pid, pid] } })
     })`,
  )
  const gateway = join(folder, 'gateway.mjs')
  const from = (file: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, file)).href)
  writeFileSync(
    gateway,
    `import { makeRequest, makeTarget, makeUpstreams } from ${from('testing.js')}
     const upstreams = makeUpstreams({ childEnv: process.env })
     const target = makeTarget({ command: ${JSON.stringify(command)}, protocol: 'legacy' })
     const reply = await upstreams.request(target, makeRequest({ deadline: Date.now() + 20000 }))
     console.log(JSON.stringify(reply.result.pids))
     setInterval(() => {}, 1000)`,
  )
  const child = spawn('node', [gateway], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve))
  const pids = JSON.parse(line) as number[]
  assert.is(pids.length, 2)
  assert.ok(pids.every(isAlive))
  child.kill('SIGKILL')
  await until(() => pids.every((pid) => !isAlive(pid)), 2_000)
})

/** The processes below this one, save those that only look. */
function descendants(): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n')
  const parsed = rows
    .map((row) => row.trim().split(/\s+/))
    .map(([pid, ppid, ...args]) => ({ pid: Number(pid), ppid: Number(ppid), args: args.join(' ') }))
  const found = [process.pid]
  for (const above of found) found.push(...parsed.filter(({ ppid }) => ppid === above).map(({ pid }) => pid))
  return found
    .slice(1)
    .filter((pid) => !/^(?:ps |\/bin\/sh -c\s+trap)/.test(parsed.find((row) => row.pid === pid)?.args ?? ''))
}

test.run()
