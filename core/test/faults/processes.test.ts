// time-limit: 180
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase } from '../database.js'
import { call, legacy } from '../door.js'
import { makeHome, startGateway } from '../gateway.js'
import { until } from '../until.js'

/** Heeds neither the end of its input nor a polite request, and has a child that does the same. */
const STUBBORN = `
import { spawn } from 'node:child_process'
process.on('SIGTERM', () => {}).on('SIGINT', () => {}).on('SIGHUP', () => {})
spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"], { stdio: 'ignore' })
setInterval(() => {}, 1000)
let rest = ''
process.stdin.on('data', (bytes) => {
  const lines = (rest + bytes).split('\\n')
  rest = lines.pop()
  for (const line of lines) {
    const { id, method } = JSON.parse(line)
    const results = {
      initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } },
      'tools/list': { tools: [{ name: 'act', inputSchema: { type: 'object' } }] },
      'tools/call': { content: [{ type: 'text', text: Object.keys(process.env).join(' ') }] },
    }
    if (id === undefined) continue
    const answer = results[method] ? { result: results[method] } : { error: { code: -32601, message: 'no' } }
    process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...answer }) + '\\n')
  }
})
`

/** Every process that was given the mark, by what it is called; zombies have no environment, so their parents tell. */
async function marked(mark: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const env = await readFile(join('/proc', pid, 'environ'), 'utf8').catch(() => '')
      return env.includes(`MARK=${mark}`) ? [Number(pid)] : []
    }),
  )
  return found.flat()
}

async function stateOf(pid: number): Promise<string | null> {
  const stat = await readFile(join('/proc', String(pid), 'stat'), 'utf8').catch(() => null)
  return stat === null ? null : (/\) (\w)/.exec(stat)?.[1] ?? '?')
}

const goneAll = (pids: readonly number[]) =>
  until('no process is left', async () => {
    const states = await Promise.all(pids.map(stateOf))
    return states.every((state) => state === null) || undefined
  })

for (const how of ['kill', 'stop'] as const)
  test(`${how === 'kill' ? 'kill -9' : 'an orderly end'} of the gateway leaves no process and no zombie of its servers`, async () => {
    const [home, database] = [await makeHome(), await testDatabase()]
    const mark = `gatehouse-${process.pid}-${how}`
    await writeFile(join(home, 'stubborn.mjs'), STUBBORN)
    const server = `{ command: ["${process.execPath}", "${home}/stubborn.mjs"], env: { MARK: ${mark} } }`
    const gateway = await startGateway({
      home,
      databaseUrl: database.url,
      yaml: `version: 1\nservers: { one: ${server}, two: ${server} }\ngateways: { house: { servers: [{ server: one }, { server: two }] } }\n`,
    })
    const agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
    const { json } = await legacy(agent, { method: 'tools/list' })
    assert.is(json.result.tools.length, 2)
    const answer = await legacy(agent, call('act'))
    assert.not.match(answer.json.result.content[0].text, /GATEHOUSE_|DATABASE_URL/)
    const pids = await until('both servers have their children', async () => {
      const now = await marked(mark)
      return now.length >= 4 ? now : undefined
    })
    if (how === 'kill') await gateway.kill()
    await gateway.stop()
    await goneAll(pids)
    assert.equal(await marked(mark), [], 'nor did others come meanwhile')
    await rm(home, { recursive: true, force: true })
    await database.drop()
  })

test('a server that dies is started again, and the calls of the others go on', async () => {
  const [home, mark] = [await makeHome(), `gatehouse-${process.pid}-dies`]
  await writeFile(join(home, 'stubborn.mjs'), STUBBORN)
  const server = (name: string) =>
    `{ command: ["${process.execPath}", "${home}/stubborn.mjs"], env: { MARK: ${mark}-${name} } }`
  const gateway = await startGateway({
    yaml: `version: 1\nservers: { one: ${server('one')}, two: ${server('two')} }\ngateways: { house: { servers: [{ server: one }, { server: two }] } }\n`,
  })
  const agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  await legacy(agent, { method: 'tools/list' })
  const pids = await marked(`${mark}-one`)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  assert.ok((await legacy(agent, call('two__act'))).json.result)
  await until('it answers again', async () => ((await legacy(agent, call('act'))).json.result ? true : undefined))
  await goneAll(pids)
  await gateway.stop()
  await rm(home, { recursive: true, force: true })
})

test.run()
