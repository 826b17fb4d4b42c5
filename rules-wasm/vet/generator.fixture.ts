import { createHash } from 'node:crypto'
import { constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compileFunction } from 'node:vm'

const require = createRequire(import.meta.url)
const tool = join(dirname(require.resolve('binaryen/package.json')), 'bin', 'wasm-opt')

const features = [
  'sign-ext',
  'nontrapping-float-to-int',
  'multivalue',
  'bulk-memory',
  'mutable-globals',
  'reference-types',
  'simd',
]

type Run = (args: readonly string[]) => Promise<void>

/**
 * Binaryen's `wasm-opt --translate-to-fuzz`, run within this process, since starting it costs half a second: the tool is
 * a script that reads its arguments from `process`, so it gets a `process` of its own, and its code compiled once.
 */
export function startGenerator(): { readonly make: (seed: string) => Promise<Uint8Array>; readonly stop: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'gh-vet-'))
  const run = loadTool()
  const make = async (seed: string): Promise<Uint8Array> => {
    const [input, output] = [join(folder, 'in'), join(folder, 'out.wasm')]
    const length = 1000 + (createHash('sha256').update(seed).digest()[0] ?? 0) * 40
    writeFileSync(input, createHash('shake256', { outputLength: length }).update(seed).digest())
    await run([input, '-q', '-ttf', '-o', output, '--mvp-features', ...features.map((name) => `--enable-${name}`)])
    return readFileSync(output)
  }
  return { make, stop: () => rmSync(folder, { recursive: true, force: true }) }
}

function loadTool(): Run {
  const source = readFileSync(tool, 'utf8').replace(/^#!.*\n/, '')
  const names = ['Module', 'require', '__dirname', '__filename', 'module', 'process', 'WebAssembly']
  const start = compileFunction(source, names, { filename: tool }) as (...values: unknown[]) => void
  let compiled: WebAssembly.Module | undefined
  const engine: object = Object.create(WebAssembly, {
    instantiate: {
      value: async (binary: ArrayBuffer, imports: WebAssembly.Imports) => {
        compiled = await WebAssembly.compile(binary)
        return { instance: await WebAssembly.instantiate(compiled, imports) }
      },
    },
  })
  return (args) =>
    new Promise((resolve, reject) => {
      const known = compiled
      const early = known && {
        instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
          WebAssembly.instantiate(known, imports).then(done, reject)
          return {}
        },
      }
      const end = (status: number) => (status === 0 ? resolve() : reject(new Error(`wasm-opt ended with ${status}`)))
      const quiet = { print: () => {}, printErr: () => {}, postRun: [() => end(0)], ...early }
      start(quiet, require, dirname(tool), tool, undefined, processOf(args, end), engine)
    })
}

function processOf(args: readonly string[], end: (status: number) => void): object {
  const { versions, platform, stdin, stdout, stderr, hrtime } = process
  return {
    ...{ versions, platform, stdin, stdout, stderr, hrtime, env: {} },
    argv: ['node', tool, ...args],
    on: () => {},
    binding: () => ({ fs: constants }),
    cwd: () => '/',
    exit: end,
    set exitCode(status: number) {
      end(status)
    },
  }
}
