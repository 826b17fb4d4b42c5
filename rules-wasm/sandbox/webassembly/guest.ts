import type { ExtismPluginOptions } from '@extism/extism'
import type { Extent } from '@gatehouse/rule-vet'
import { FUEL_EXPORT, RESTORE_EXPORTS } from '@gatehouse/rule-vet/exports'
import { RULE_HOST_MODULE } from '@gatehouse/sdk/rule-limits'
import { RuleFault } from '../fault.js'
import type { WasiStub } from '../wasi.js'
import { createPlugin } from './extism.js'
import { EXTISM_MODULE, extismFunctions, type ExtismHost } from './extism-functions.js'
import type { GuestMemory } from './guest-memory.js'
import { rememberInstance, type Restore } from './restore.js'
import { type Functions, ruleFunctions } from './rule-functions.js'

/** An instance of a rule's module. */
export interface Guest {
  evaluate(): number
  /** Of its memory, as it sees it. */
  pages(): number
  readonly fuel: { value: bigint }
  /** Null when it cannot be put back. */
  readonly restore: Restore | null
}

/**
 * Makes an instance through Extism, in this thread, without WASI, hosts or paths. All that a module may import is our own: of the SDK's
 * functions none is reachable. Rejects when the module's start, or its `_initialize`, fails.
 */
export async function createGuest(code: WebAssembly.Module, host: ExtismHost, data: Extent | null): Promise<Guest> {
  const { wasi, memory: seen } = host
  const functions = { [EXTISM_MODULE]: extismFunctions(host), [RULE_HOST_MODULE]: ruleFunctions(host) }
  seen.attach(undefined)
  seen.forgetViews()
  const instance =
    wasi === null ? await throughExtism(code, functions) : await withStub(code, functions, { wasi, seen })
  // The instance itself, since `call` drops what `evaluate` answers, and cannot be waited for without a turn of the event loop.
  const { exports } = instance
  const memory = memoryOf(instance)
  const { evaluate, [FUEL_EXPORT]: fuel, [RESTORE_EXPORTS.size]: size } = exports
  if (typeof evaluate !== 'function' || !(fuel instanceof WebAssembly.Global) || memory === undefined)
    throw new RuleFault('trap', 'is no module that was built for the sandbox')
  seen.attach(memory)
  return {
    evaluate: evaluate as () => number,
    pages: () => (size instanceof WebAssembly.Global ? Number(size.value) : memory.buffer.byteLength / 65_536),
    fuel: fuel as unknown as { value: bigint },
    restore: rememberInstance(exports, seen, data),
  }
}

type Modules = Readonly<Record<string, Functions>>

async function throughExtism(code: WebAssembly.Module, modules: Modules): Promise<WebAssembly.Instance> {
  const functions = Object.fromEntries(Object.entries(modules).map(([name, module]) => [name, behindContext(module)]))
  // The module itself: for a manifest the SDK first asks whether it is a `Response`, upon which Node loads all that makes requests.
  const plugin = await createPlugin(code, {
    runInWorker: false,
    useWasi: false,
    functions,
    config: Object.create(null) as Record<string, string>,
  })
  return plugin.getInstance()
}

/**
 * The SDK takes no WASI but its own, and runs `_initialize` before the instance's memory is known; so a module that was granted our stub
 * is instantiated here.
 */
async function withStub(
  code: WebAssembly.Module,
  modules: Modules,
  { wasi, seen }: { readonly wasi: WasiStub; readonly seen: GuestMemory },
): Promise<WebAssembly.Instance> {
  const imports = { ...modules, [wasi.module]: wasi.functions } as WebAssembly.Imports
  const instance = await WebAssembly.instantiate(code, imports)
  seen.attach(memoryOf(instance))
  const { _initialize: initialize } = instance.exports
  if (typeof initialize === 'function') initialize()
  return instance
}

function memoryOf({ exports }: WebAssembly.Instance): WebAssembly.Memory | undefined {
  return Object.values(exports).find((value) => value instanceof WebAssembly.Memory)
}

type Behind = NonNullable<ExtismPluginOptions['functions']>[string]

/** The SDK gives its own context first. */
function behindContext(functions: Functions): Behind {
  return Object.fromEntries(
    Object.entries(functions).map(([name, run]) => [
      name,
      (_context: unknown, ...values: readonly unknown[]) => run(...(values as never[])),
    ]),
  )
}
