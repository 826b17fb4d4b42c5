import { spawn } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeHome } from './gateway.js'
import { until } from './until.js'

const entry = (name: string) => fileURLToPath(import.meta.resolve(`@modelcontextprotocol/server-${name}/dist/index.js`))

export interface RealServers {
  /** The `servers` of an operator's file, save the documentation, whose address is the gateway's own. */
  readonly yaml: string
  /** What the file system server may read. */
  readonly folder: string
  stop(): Promise<void>
}

/** The reference servers as their users run them: three as commands, one of them over HTTP as well. */
export async function startRealServers(): Promise<RealServers> {
  const folder = join(await makeHome(), 'files')
  await mkdir(folder)
  await writeFile(join(folder, 'hello.txt'), 'Hello from a file.\n')
  const port = await freePort()
  const everything = spawn(process.execPath, [entry('everything'), 'streamableHttp'], {
    env: { PATH: process.env['PATH'] ?? '', PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const kill = () => void everything.kill('SIGKILL')
  process.once('exit', kill)
  let said = ''
  everything.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  await until('server-everything listens', () => (said.includes('listening') ? true : undefined))
  const node = JSON.stringify(process.execPath)
  const command = (...args: readonly string[]) => `[${[node, ...args.map((arg) => JSON.stringify(arg))].join(', ')}]`
  return {
    folder,
    yaml: `
  everything: { command: ${command(entry('everything'), 'stdio')} }
  everything-http: { url: "http://127.0.0.1:${port}/mcp" }
  files: { command: ${command(entry('filesystem'), folder)} }
  memory: { command: ${command(entry('memory'))}, env: { MEMORY_FILE_PATH: ${JSON.stringify(join(folder, '..', 'memory.jsonl'))} } }
`,
    stop: async () => {
      process.off('exit', kill)
      kill()
      await new Promise((resolve) => everything.once('close', resolve))
    },
  }
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
