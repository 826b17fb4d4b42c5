/** What the interpreter asks of the one who runs it. */
export interface Outside {
  /** Milliseconds since the epoch, for `Date`. */
  now(): number
  /** A call of the host function; takes and gives texts of JSON. */
  ask(context: number, argument: number): number
}

/** ENOSYS and ESPIPE of WASI. */
const NO_SUCH_CALL = 52
const NO_SEEKING = 70

/**
 * The imports of QuickJS's build, by the letters that it gives them. Nothing of the machine is behind them: its clock is the call's,
 * its time zone UTC, it has no environment, no output and no timers, its memory does not grow, and it cannot load modules.
 */
export function importsOf(memory: WebAssembly.Memory, outside: Outside): WebAssembly.Imports {
  const words = () => new Uint32Array(memory.buffer)
  const never = (what: string) => () => {
    throw new WebAssembly.RuntimeError(`the interpreter ${what}`)
  }
  const zeros = (...pointers: readonly number[]) => {
    for (const pointer of pointers) words()[pointer >>> 2] = 0
    return 0
  }
  const a = {
    a: memory,
    b: never('failed an assertion'),
    c: (_file: number, _vectors: number, _count: number, written: number) => zeros(written),
    d: () => NO_SUCH_CALL,
    e: () => 0,
    f: (count: number, bytes: number) => zeros(count, bytes),
    g: never('asked for a module'),
    h: never('asked for a module'),
    i: never('asked whether to go on'),
    j: () => 0,
    k: () => 0,
    l: () => undefined,
    m: (seconds: bigint, out: number) => writeTime(Number(seconds), words().subarray(out >>> 2)),
    n: (zone: number, daylight: number, standard: number, summer: number) => {
      zeros(zone, daylight)
      for (const name of [standard, summer]) new Uint8Array(memory.buffer).set([0x55, 0x54, 0x43, 0], name)
    },
    o: () => NO_SEEKING,
    p: () => outside.now(),
    q: never('gave up'),
    r: never('ended itself'),
    s: (context: number, _self: number, _count: number, values: number) => outside.ask(context, values),
    t: () => undefined,
  }
  return { a }
}

/** The C structure `tm`, in UTC. */
function writeTime(seconds: number, out: Uint32Array): void {
  const date = new Date(seconds * 1000)
  const newYear = Date.UTC(date.getUTCFullYear(), 0, 1)
  out.set([
    date.getUTCSeconds(),
    date.getUTCMinutes(),
    date.getUTCHours(),
    date.getUTCDate(),
    date.getUTCMonth(),
    date.getUTCFullYear() - 1900,
    date.getUTCDay(),
    Math.floor((date.getTime() - newYear) / 86_400_000),
    0,
    0,
  ])
}
