import { meter, type MeterOptions } from './index.js'

export const caps: MeterOptions = { memoryPages: 64, tableElements: 10_000, startFuel: 1_000_000n }

export interface Metered {
  readonly run: (...values: unknown[]) => unknown
  readonly exports: WebAssembly.Exports
  readonly fuel: { value: bigint }
}

/** A metered module, ready to be called: with `fuel` left after its start. */
export function load(bytes: Uint8Array, fuel: bigint, imports: WebAssembly.Imports = {}): Metered {
  const module = new WebAssembly.Module(meter(bytes, caps) as Uint8Array<ArrayBuffer>)
  const { exports } = new WebAssembly.Instance(module, imports)
  const global = exports['gatehouse_fuel'] as unknown as { value: bigint }
  global.value = fuel
  return { run: exports['run'] as Metered['run'], exports, fuel: global }
}

/** Whether a call ended because its fuel did. */
export function runsDry({ run, fuel }: Metered, ...values: readonly unknown[]): boolean {
  try {
    run(...values)
    return false
  } catch (error) {
    return error instanceof WebAssembly.RuntimeError && fuel.value < 0n
  }
}

/** What a call costs in full. */
export function costOf(metered: Metered, ...values: readonly unknown[]): number {
  metered.fuel.value = 1_000_000_000n
  metered.run(...values)
  return Number(1_000_000_000n - metered.fuel.value)
}
