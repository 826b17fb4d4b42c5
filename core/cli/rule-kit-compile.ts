import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandError, type Io } from './io.js'
import type { RuleFolder } from './rule-kit-folder.js'

/** The folder of Gatehouse: templates, the library and its compiler lie in it. The commands run in `core/dist/cli/`. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))

interface Toolchain {
  /** The file that only rules in this language have. */
  readonly marker: string
  compile(build: Build): Promise<void>
}

interface Build {
  readonly io: Io
  readonly rule: RuleFolder
  /** Where the module goes. */
  readonly out: string
}

export const toolchains: Readonly<Record<string, Toolchain>> = {
  assemblyscript: { marker: 'assembly/index.ts', compile: compileAssemblyScript },
  rust: { marker: 'Cargo.toml', compile: compileRust },
  c: { marker: 'rule.c', compile: compileC },
  go: { marker: 'go.mod', compile: compileGo },
  javascript: { marker: 'rule.js', compile: ({ rule, out }) => copyFile(join(rule.folder, 'rule.js'), out) },
}

/** Makes the module from its sources. The same sources and tools give the same bytes. */
export async function compile(build: Build): Promise<void> {
  const { folder } = build.rule
  const found = Object.values(toolchains).find(({ marker }) => existsSync(join(folder, marker)))
  const markers = Object.values(toolchains).map(({ marker }) => marker)
  if (found === undefined) throw new CommandError(`Nothing to build: there is none of ${markers.join(', ')} in it.`)
  await found.compile(build)
}

/** What the library's options set aside when the module starts; a rule with less gets less. */
const AS_PAGES = 32

async function compileAssemblyScript({ io, rule, out }: Build): Promise<void> {
  const { folder, memoryPages } = rule
  const library = join(root, 'rules-wasm/assemblyscript')
  const own = join(folder, 'asconfig.json')
  const config = existsSync(own) ? own : join(library, 'asconfig.json')
  const args = ['assembly/index.ts', '--config', config, '--path', join(root, 'node_modules'), '--outFile', out]
  const less = memoryPages < AS_PAGES ? ['--initialMemory', String(memoryPages)] : []
  await run(io, { cwd: folder, tool: process.execPath, args: [compilerFor(folder, library), ...args, ...less] })
}

function compilerFor(folder: string, library: string): string {
  for (const from of [folder, library]) {
    try {
      return createRequire(join(from, 'package.json')).resolve('assemblyscript/bin/asc.js')
    } catch {
      continue
    }
  }
  throw new CommandError('The AssemblyScript compiler is missing: run npm ci in the folder of Gatehouse.')
}

async function compileRust({ io, rule, out }: Build): Promise<void> {
  const { folder } = rule
  const locked = existsSync(join(folder, 'Cargo.lock')) ? ['--locked'] : []
  const target = ['--target', 'wasm32-unknown-unknown', '--target-dir', join(folder, 'target')]
  const args = ['build', '--release', ...locked, ...target]
  await run(io, {
    cwd: folder,
    tool: 'cargo',
    args,
    missing: 'Install Rust with https://rustup.rs, then: rustup target add wasm32-unknown-unknown',
  })
  const [, name] = /^name\s*=\s*"([^"]+)"/m.exec(await readFile(join(folder, 'Cargo.toml'), 'utf8')) ?? []
  const made = join(folder, 'target/wasm32-unknown-unknown/release', `${(name ?? '').replaceAll('-', '_')}.wasm`)
  if (!existsSync(made)) throw new CommandError(`cargo made no ${made}: [lib] needs crate-type = ["cdylib"].`)
  await copyFile(made, out)
}

/** In two steps: a compiler that links what it optimised itself runs any `wasm-opt` that it finds, and the bytes depend on whose it is. */
async function compileC({ io, rule, out }: Build): Promise<void> {
  const { folder } = rule
  const object = `${out}.o`
  const code = ['-std=c17', '-Oz', '-Wall', '-Wextra', '-Wno-unused-function', '-ffreestanding', '-mbulk-memory']
  const link = ['-nostdlib', '-Wl,--no-entry', '-Wl,--strip-all', '-Wl,--stack-first', '-Wl,-z,stack-size=16384']
  const missing = 'Install clang and lld 14 or later; on Debian and Ubuntu: apt-get install clang lld'
  const clang = (args: readonly string[]) =>
    run(io, { cwd: folder, tool: 'clang', args: ['--target=wasm32', ...args], missing })
  await clang([...code, '-c', '-o', object, 'rule.c'])
  await clang([...link, '-o', out, object]).finally(() => rm(object, { force: true }))
}

async function compileGo({ io, rule, out }: Build): Promise<void> {
  const { folder } = rule
  const args = [
    'build',
    '-buildmode=c-shared',
    '-trimpath',
    '-buildvcs=false',
    '-ldflags=-s -w -buildid=',
    '-o',
    out,
    '.',
  ]
  const env = { GOOS: 'wasip1', GOARCH: 'wasm', GOTOOLCHAIN: 'local', GOFLAGS: '' }
  await run(io, { cwd: folder, tool: 'go', args, env, missing: 'Install Go 1.24 or later: https://go.dev/dl' })
}

interface Run {
  readonly cwd: string
  readonly tool: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** What to do when the tool is not there. */
  readonly missing?: string
}

async function run(io: Io, { cwd, tool, args, env, missing = '' }: Run): Promise<void> {
  const options = { cwd, maxBuffer: 16_777_216, env: { ...io.env, ...env } }
  await new Promise<void>((resolve, reject) => {
    execFile(tool, [...args], options, (error, out, err) => {
      if (error === null) return resolve()
      if (error.code === 'ENOENT') return reject(new CommandError(`${tool} is not installed. ${missing}`))
      reject(new CommandError(`${`${err}${out}`.trim() || error.message}\nIt does not compile.`))
    })
  })
}
