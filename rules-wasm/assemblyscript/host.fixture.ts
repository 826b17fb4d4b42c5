import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The sources of the library: the tests run in `dist/`. */
export const library = fileURLToPath(new URL('../', import.meta.url))
const compiler = fileURLToPath(new URL('../bin/asc.js', import.meta.resolve('assemblyscript/asc')))

/** Compiles a rule as `gatehouse rules build` does. Kept for the test that runs next, for it takes seconds. */
export function compile(source: string): Uint8Array<ArrayBuffer> {
  const kept = join(library, 'dist', `probe-${digest([source, 'asconfig.json', ...sources()])}.wasm`)
  if (existsSync(kept)) return new Uint8Array(readFileSync(kept))
  const folder = mkdtempSync(join(library, 'dist', 'probe-'))
  try {
    const out = join(folder, 'rule.wasm')
    const config = ['--config', join(library, 'asconfig.json'), '--path', join(library, '../../node_modules')]
    execFileSync(process.execPath, [compiler, source, '-o', out, ...config], { cwd: library })
    renameSync(out, kept)
    return new Uint8Array(readFileSync(kept))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const sources = () => readdirSync(join(library, 'assembly')).map((name) => `assembly/${name}`)

function digest(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const path of paths) hash.update(readFileSync(join(library, path)))
  return hash.digest('hex').slice(0, 32)
}

export interface World {
  readonly config?: Readonly<Record<string, string>>
  readonly kv?: Map<string, string>
  readonly log?: string[]
  readonly counters?: Map<string, number>
}

/** The host functions of the contract, as small as can be: it holds no limit. */
export function open(bytes: Uint8Array<ArrayBuffer>, world: World = {}) {
  let input: Uint8Array = new Uint8Array()
  let output = ''
  const view = () => new Uint8Array((exports['memory'] as WebAssembly.Memory).buffer)
  const text = (at: number, length: number) => new TextDecoder().decode(view().subarray(at, at + length))
  const give = (value: string | undefined, out: number, room: number) => {
    if (value === undefined) return -1
    const whole = new TextEncoder().encode(value)
    view().set(whole.subarray(0, room), out)
    return whole.length
  }
  const host = {
    input_read: (out: number, offset: number, length: number) => {
      const part = input.subarray(offset, offset + length)
      view().set(part, out)
      return part.length
    },
    output_write: (at: number, length: number) => void (output = text(at, length)),
    log: (level: number, at: number, length: number) => void world.log?.push(`${level} ${text(at, length)}`),
    config_read: (key: number, size: number, out: number, room: number) =>
      give(world.config?.[text(key, size)], out, room),
    kv_get: (key: number, size: number, out: number, room: number) => give(world.kv?.get(text(key, size)), out, room),
    kv_set: (key: number, size: number, at: number, length: number, ttl: number) => {
      world.kv?.set(text(key, size), `${text(at, length)}/${ttl}`)
      return 1
    },
    kv_delete: (key: number, size: number) => void world.kv?.delete(text(key, size)),
    regex_match: (id: number, size: number, at: number, length: number, from: number, out: number) => {
      if (text(id, size) !== 'digits') return -1
      const found = /\d+/.exec(Buffer.from(view().slice(at + from, at + length)).toString('latin1'))
      if (found === null) return 0
      new DataView(view().buffer).setInt32(out, from + found.index, true)
      new DataView(view().buffer).setInt32(out + 4, from + found.index + found[0].length, true)
      return 1
    },
    counter_add: (name: number, size: number, n: number) => void world.counters?.set(text(name, size), n),
  }
  const module = new WebAssembly.Module(bytes)
  const { exports } = new WebAssembly.Instance(module, { 'extism:host/user': host })
  const evaluate = exports['evaluate'] as () => number
  return {
    imports: WebAssembly.Module.imports(module).map(({ name }) => name),
    pages: () => view().length / 65_536,
    /** Shows it exactly these bytes. */
    raw: (bytes: Uint8Array) => {
      input = bytes
      if (evaluate() !== 0) throw new Error('evaluate answered another number than 0')
      return JSON.parse(output) as Record<string, unknown>
    },
  }
}

/** A whole input around the message. */
export function inputOf(message: unknown, more: object = {}): Uint8Array {
  const call = {
    id: 'c1',
    gateway: 'main',
    server: null,
    user: 'ann@example.com',
    host: 'cli',
    time: 1_700_000_000_000,
  }
  return new TextEncoder().encode(JSON.stringify({ version: 1, leg: 'request', call, message, ...more }))
}
