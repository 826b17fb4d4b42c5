import type { RuleCapability } from '@gatehouse/sdk/rule-abi'
import { createHash } from 'node:crypto'
import { RuleFault } from './fault.js'
import type { Functions, Host } from './webassembly/rule-functions.js'

/** The name under which modules of toolchains that know nothing else import their system. */
export const WASI_MODULE = 'wasi_snapshot_preview1'

interface Signature {
  readonly params: readonly ('i32' | 'i64')[]
  readonly results: readonly ['i32'] | readonly []
  readonly capability: RuleCapability | null
}

/** i for i32, I for i64. All but `proc_exit` answer an error number. */
const signatures: Readonly<Record<string, string>> = {
  args_get: 'ii',
  args_sizes_get: 'ii',
  clock_res_get: 'ii',
  clock_time_get: 'iIi',
  environ_get: 'ii',
  environ_sizes_get: 'ii',
  fd_advise: 'iIIi',
  fd_allocate: 'iII',
  fd_close: 'i',
  fd_datasync: 'i',
  fd_fdstat_get: 'ii',
  fd_fdstat_set_flags: 'ii',
  fd_fdstat_set_rights: 'iII',
  fd_filestat_get: 'ii',
  fd_filestat_set_size: 'iI',
  fd_filestat_set_times: 'iIIi',
  fd_pread: 'iiiIi',
  fd_prestat_dir_name: 'iii',
  fd_prestat_get: 'ii',
  fd_pwrite: 'iiiIi',
  fd_read: 'iiii',
  fd_readdir: 'iiiIi',
  fd_renumber: 'ii',
  fd_seek: 'iIii',
  fd_sync: 'i',
  fd_tell: 'ii',
  fd_write: 'iiii',
  path_create_directory: 'iii',
  path_filestat_get: 'iiiii',
  path_filestat_set_times: 'iiiiIIi',
  path_link: 'iiiiiii',
  path_open: 'iiiiiIIii',
  path_readlink: 'iiiiii',
  path_remove_directory: 'iii',
  path_rename: 'iiiiii',
  path_symlink: 'iiiii',
  path_unlink_file: 'iii',
  poll_oneoff: 'iiii',
  proc_exit: 'i',
  proc_raise: 'i',
  random_get: 'ii',
  sched_yield: '',
  sock_accept: 'iii',
  sock_recv: 'iiiiii',
  sock_send: 'iiiii',
  sock_shutdown: 'ii',
}

/** What a module that was granted the stub may import, with the very types of WASI's preview 1. */
export const WASI_FUNCTIONS: Readonly<Record<string, Signature>> = Object.fromEntries(
  Object.entries(signatures).map(([name, letters]): [string, Signature] => [
    name,
    {
      params: [...letters].map((letter) => (letter === 'I' ? 'i64' : 'i32')),
      results: name === 'proc_exit' ? [] : ['i32'],
      capability: null,
    },
  ]),
)

/** Error numbers of WASI. */
const OK = 0
const BAD_FILE = 8
const NOT_THERE = 52

const mostLine = 1_024
const mostVectors = 1_024

/**
 * A system for toolchains that insist on one, which depends on nothing but the call: its clock stands still at the time when the call began,
 * its random numbers are drawn from the call's id, what is written to the standard outputs goes to the rule's log (or nowhere, if the rule
 * has none), and there are no arguments, no environment, no files, no network and no waiting. Outside of a call it is one second past the epoch.
 */
export class WasiStub {
  /** Under which name its functions are imported. */
  readonly module = WASI_MODULE
  readonly functions: Functions
  readonly #host: Host
  readonly #hasLog: boolean
  readonly #lines = new Map<number, Uint8Array>()
  #input: Uint8Array | null = null
  #call: Call | null = null
  #drawn = 0

  constructor(host: Host, hasLog: boolean) {
    this.#host = host
    this.#hasLog = hasLog
    const refused = Object.keys(signatures).map((name) => [name, () => (name.startsWith('fd_') ? BAD_FILE : NOT_THERE)])
    this.functions = { ...Object.fromEntries(refused), ...this.#nothing(), ...this.#facts(), ...this.#output() }
  }

  /** Forgets the former call. The input is read only if the rule asks for the time or for random numbers; null: it is no call. */
  begin(input: Uint8Array | null): void {
    this.#input = input
    this.#call = null
    this.#drawn = 0
    this.#lines.clear()
  }

  /** What there is none of. */
  #nothing(): Functions {
    const none = (count: number, bytes: number): number => this.#write(count, word(0)) || this.#write(bytes, word(0))
    return {
      args_get: () => OK,
      args_sizes_get: none,
      environ_get: () => OK,
      environ_sizes_get: none,
      sched_yield: () => OK,
      proc_exit(code: number): never {
        throw new RuleFault('trap', `ended itself with ${code}`)
      },
    }
  }

  #facts(): Functions {
    return {
      clock_res_get: (_clock: number, out: number) => this.#write(out, long(1_000_000n)),
      clock_time_get: (clock: number, _precision: bigint, out: number) => {
        const time = clock === REAL_TIME ? Math.max(START_MS, this.#facing().time) : START_MS
        return this.#write(out, long(BigInt(time) * 1_000_000n))
      },
      random_get: (out: number, length: number) => {
        this.#host.exchange.chargeBytes(RANDOM_COST * (length >>> 0))
        const room = this.#host.memory.view(out, length)
        for (let at = 0; at < room.length; at += 32) room.set(this.#draw().subarray(0, room.length - at), at)
        return OK
      },
    }
  }

  #output(): Functions {
    return {
      fd_fdstat_get: (file: number, out: number) => (isOutput(file) ? this.#write(out, character()) : BAD_FILE),
      fd_fdstat_set_flags: (file: number) => (isOutput(file) ? OK : BAD_FILE),
      fd_write: (file: number, vectors: number, count: number, written: number) => {
        if (!isOutput(file)) return BAD_FILE
        let total = 0
        for (let n = 0; n < Math.min(count >>> 0, mostVectors); n += 1) {
          const vector = this.#host.memory.view((vectors >>> 0) + 8 * n, 8)
          const { buffer, byteOffset } = vector
          const [pointer, length] = [0, 4].map((at) => new DataView(buffer, byteOffset).getUint32(at, true))
          const bytes = this.#host.memory.view(pointer ?? 0, length ?? 0)
          this.#host.exchange.chargeBytes(bytes.length + 64)
          if (this.#hasLog) this.#say(file, bytes)
          total += bytes.length
        }
        return this.#write(written, word(total))
      },
    }
  }

  /** Whole lines; what has no end is not told. */
  #say(file: number, bytes: Uint8Array): void {
    let rest = bytes
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      this.#host.exchange.charge(LINE_COST)
      const line = join(this.#lines.get(file), rest.subarray(0, end))
      this.#lines.delete(file)
      if (line.length > 0) this.#host.capabilities.log(file === ERROR_OUTPUT ? WARN : INFO, line)
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) this.#lines.set(file, join(this.#lines.get(file), rest))
  }

  #draw(): Uint8Array {
    this.#drawn += 1
    return createHash('sha256').update(`${this.#facing().id} ${this.#drawn}`).digest()
  }

  #facing(): Call {
    this.#call ??= this.#input === null ? { time: START_MS, id: '' } : callOf(this.#input)
    return this.#call
  }

  #write(out: number, bytes: Uint8Array): number {
    this.#host.memory.view(out, bytes.length).set(bytes)
    return OK
  }
}

interface Call {
  readonly time: number
  readonly id: string
}

/** The clock that tells the time of day; the others stand at the start. */
const REAL_TIME = 0
/** Go takes no clock that stands at 0. */
const START_MS = 1_000
const NEWLINE = 10
const ERROR_OUTPUT = 2
const [INFO, WARN] = [1, 2]
/** Bytes that may be copied for the price of one byte of random numbers. */
const RANDOM_COST = 16

/** Units of fuel for each line that ends, be it told or not. */
const LINE_COST = 500

const isOutput = (file: number): boolean => file === 1 || file === ERROR_OUTPUT

/** The input is our own; a rule's trial may leave anything out. */
function callOf(input: Uint8Array): Call {
  const { call } = JSON.parse(decoder.decode(input)) as { readonly call?: Partial<Call> }
  return { time: Number.isSafeInteger(call?.time) ? (call?.time ?? START_MS) : START_MS, id: String(call?.id ?? '') }
}

function join(former: Uint8Array | undefined, bytes: Uint8Array): Uint8Array {
  const before = former ?? new Uint8Array(0)
  return Buffer.concat([before, bytes.subarray(0, Math.max(0, mostLine - before.length))])
}

const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer)
const long = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer)

/** That a file is a terminal, and nothing else may be done with it. */
function character(): Uint8Array {
  const bytes = new Uint8Array(24)
  bytes[0] = 2
  return bytes
}

const decoder = new TextDecoder()
