// time-limit: 300
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { test } from 'uvu'
import type { Access } from '../gateway.js'
import { node24 } from '../node24.js'
import { startHouse, type House } from './house.js'
import { asUnderTest } from './sdk-client.js'
import { walkThrough, type ClientUnderTest } from './walk.js'

const run = promisify(execFile)

let house: House
test.before(async () => {
  house = await startHouse()
})
test.after(() => house.stop())

/** These keep files in the home of whoever runs them, and want a PATH. */
const surroundings = () => ({ PATH: process.env['PATH'] ?? '', HOME: house.gateway.home })

function inspector({ url, token }: Access): ClientUnderTest {
  const ask = async (...args: readonly string[]) => {
    const { node, inspector: script } = node24()
    const header = ['--transport', 'http', '--header', `Authorization: Bearer ${token}`]
    const all = [script, '--cli', url, ...header, '--quiet', ...args]
    return (await run(node, all, { env: surroundings(), maxBuffer: 1e7 })).stdout
  }
  const list = async (method: string, field: string, key: string) => {
    const answer = JSON.parse(await ask('--method', method)) as Record<string, readonly Record<string, string>[]>
    return (answer[field] ?? []).map((entry) => entry[key] ?? '')
  }
  return {
    tools: () => list('tools/list', 'tools', 'name'),
    prompts: () => list('prompts/list', 'prompts', 'name'),
    resources: () => list('resources/list', 'resources', 'uri'),
    call: (name, given) =>
      ask('--method', 'tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(given)),
    read: (uri) => ask('--method', 'resources/read', '--uri', uri),
    prompt: (name) => ask('--method', 'prompts/get', '--prompt-name', name),
    close: async () => undefined,
  }
}

test("the official inspector's command line walks through five servers", async () => {
  const access = await house.gateway.mintToken({ gateway: 'house', host: 'inspector' })
  await walkThrough(house, access, inspector(access))
})

test('a client of stdio servers alone walks through five servers over mcp-remote', async () => {
  const access = await house.gateway.mintToken({ gateway: 'house', host: 'remote' })
  const { node, mcpRemote } = node24()
  const client = new Client({ name: 'stdio-client', version: '1.0.0' })
  await client.connect(
    new StdioClientTransport({
      command: node,
      args: [mcpRemote, access.url, '--transport', 'http-only', '--header', `Authorization: Bearer ${access.token}`],
      env: { ...surroundings(), MCP_REMOTE_CONFIG_DIR: join(house.gateway.home, 'mcp-remote') },
      stderr: 'ignore',
    }),
  )
  await walkThrough(house, access, asUnderTest(client))
})

test.run()
