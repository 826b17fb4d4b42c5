import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunningGateway } from '../gateway.js'

const BIN = fileURLToPath(new URL('../../../bin/gatehouse.mjs', import.meta.url))

export interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** The real command beside a running gateway, in its home. */
export async function gatehouse(
  { home }: Pick<RunningGateway, 'home'>,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', GATEHOUSE_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, err }
}

/** Applies a text as a file; throws what the command says when it is refused. */
export async function applyText(
  gateway: Pick<RunningGateway, 'home'>,
  text: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  await writeFile(join(gateway.home, 'house.yaml'), text)
  const { code, out, err } = await gatehouse(gateway, ['apply', '-f', 'house.yaml'], env)
  if (code !== 0) throw new Error(err)
  return out
}
