import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Example } from './example.js'

const gatehouse = fileURLToPath(new URL('../../../core/bin/gatehouse.mjs', import.meta.url))
const run = promisify(execFile)
const MINUTES_5 = 300_000

/** Why this example cannot be built here with the very compiler that made its module; null: it can. */
export function whyNot({ folder, recipe: { compiler } }: Example): string | null {
  if (compiler === undefined) return null
  const [tool = '', version = ''] = compiler.split(' ')
  const found = ask(tool, tool === 'go' ? ['version'] : ['--version'])
  if (found === null) return `${tool} is not installed`
  if (!new RegExp(`\\b${version.replaceAll('.', '\\.')}\\b`).test(found)) return `needs ${compiler}, found ${found}`
  if (tool === 'clang' && ask('wasm-ld', ['--version']) === null) return 'wasm-ld is not installed'
  if (tool !== 'rustc') return null
  const target = ask('rustc', ['--print', 'target-libdir', '--target', 'wasm32-unknown-unknown'])
  const hasTarget = target !== null && ask('ls', [target]) !== null
  return hasTarget ? null : `rustup target add wasm32-unknown-unknown was not run (${folder})`
}

/** The bytes that its sources give now. Built in a copy, so that nothing is left behind. */
export async function rebuild(example: Example, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const { folder, name, recipe } = example
  const { command, output } = recipe
  const place = mkdtempSync(join(tmpdir(), 'gh-example-'))
  try {
    const copy = join(place, name)
    cpSync(folder, copy, { recursive: true, filter: (path) => !/[/\\](build|target|dist)$/.test(path) })
    const [tool = '', ...args] = command
    const [file, all] = tool === 'gatehouse' ? [process.execPath, [gatehouse, ...args]] : [tool, args]
    await run(file, all, { cwd: copy, timeout: MINUTES_5, env: { ...env, ...toolchain() } })
    return readFileSync(join(copy, output))
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** The toolchain that is there, and not one that would have to be fetched. */
function toolchain(): Readonly<Record<string, string>> {
  const active = ask('rustup', ['show', 'active-toolchain'])?.split(' ')[0]
  return active === undefined ? {} : { RUSTUP_TOOLCHAIN: active }
}

function ask(tool: string, args: readonly string[]): string | null {
  try {
    const out = execFileSync(tool, args, { cwd: tmpdir(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return out.split('\n')[0] ?? ''
  } catch {
    return null
  }
}
