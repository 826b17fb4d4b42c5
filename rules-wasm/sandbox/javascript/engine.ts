import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { meterOwn } from '@gatehouse/rule-vet'

/** The very build of QuickJS whose names and addresses `interpreter.ts` knows. */
const BUILD = '105c3bed22d457e43e3d1c3c1c6959fda62a8fe06f0fc8a985303c3a2be72232'

/** What runs JavaScript, which a verdict hangs on. It changes with the build, and with the prelude. */
export const ENGINE_VERSION = 'quickjs-0.32.0-1'

/** What the interpreter may use while it starts; before each call its fuel is set anew. */
const START_FUEL = 1_000_000_000n

let engine: Promise<WebAssembly.Module> | undefined

/**
 * QuickJS as a metered WebAssembly module: all that it does is paid for out of one fuel, its built-in functions and its regular
 * expressions too. Metering takes about a quarter of a second, once for each thread that asks.
 */
export function loadEngine(): Promise<WebAssembly.Module> {
  engine ??= prepareEngine()
  return engine
}

async function prepareEngine(): Promise<WebAssembly.Module> {
  const bytes = await readFile(fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm')))
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== BUILD) throw new Error(`QuickJS is another build than the one that is known: ${found}`)
  const metered = meterOwn(bytes, { memoryPages: 65_536, tableElements: 10_000, startFuel: START_FUEL })
  return WebAssembly.compile(metered as Uint8Array<ArrayBuffer>)
}
