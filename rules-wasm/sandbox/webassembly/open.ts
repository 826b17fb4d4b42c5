import { createRequire } from 'node:module'
import type { RuleAnswer } from '@gatehouse/sdk/rule-abi'
import { readAnswer } from '../answer.js'
import { Capabilities } from '../capabilities.js'
import type { RuleConfig } from '../config.js'
import type { ReadyRule } from '../ending.js'
import { RuleFault } from '../fault.js'
import { notRun } from '../not-run.js'
import type { Ran, RuleModule, RunRequest } from '../types.js'
import type * as Wasi from '../wasi.js'
import { Blocks } from './blocks.js'
import { Exchange } from './exchange.js'
import type { ExtismHost } from './extism-functions.js'
import { explain } from './explain.js'
import { createGuest, type Guest } from './guest.js'
import { GuestMemory } from './guest-memory.js'

/** Opens a rule in WebAssembly. Rejects when no instance of it can be made. */
export async function openWebAssembly(module: RuleModule, config: RuleConfig): Promise<ReadyRule> {
  const rule = new OpenModule(module, config)
  try {
    await rule.prepare()
  } catch (error) {
    throw new Error(`The module cannot be started: ${explain(error, null)?.message}`, { cause: error })
  }
  return rule
}

class OpenModule implements ReadyRule {
  readonly #code: WebAssembly.Module
  readonly #module: RuleModule
  readonly #host: ExtismHost
  readonly #fuel: bigint
  #guest: Guest | null = null
  #isBusy = false

  constructor(module: RuleModule, config: RuleConfig) {
    const { code, limits, manifest } = module
    if (typeof code === 'string') throw new TypeError('is no module of WebAssembly')
    this.#code = code
    this.#module = module
    this.#fuel = BigInt(limits.fuel)
    const host = {
      memory: new GuestMemory(),
      exchange: new Exchange(limits),
      capabilities: new Capabilities(manifest, config),
    }
    host.exchange.counted = () => this.#counted()
    const wasi = module.wasiStub ? new (loadStub().WasiStub)(host, manifest.capabilities.includes('log')) : null
    this.#host = { ...host, blocks: new Blocks(limits.memoryPages * 65_536), wasi }
  }

  /** What an instance does at its start is the same whatever call it is made for: it sees none. */
  async prepare(): Promise<Guest> {
    if (this.#guest !== null) return this.#guest
    this.#begin(noCall)
    this.#host.wasi?.begin(null)
    this.#guest = await createGuest(this.#code, this.#host, this.#module.data ?? null)
    return this.#guest
  }

  async run(request: RunRequest): Promise<Ran> {
    if (this.#isBusy) throw new Error('A rule runs one message at a time.')
    this.#isBusy = true
    try {
      return await this.#run(request)
    } finally {
      this.#isBusy = false
    }
  }

  close(): void {
    this.#guest = null
  }

  #begin({ input, kv }: RunRequest): void {
    const { exchange, blocks, capabilities } = this.#host
    exchange.begin(input)
    blocks.begin()
    capabilities.begin(this.#module.manifest.stateful ? kv : null)
  }

  async #run(request: RunRequest): Promise<Ran> {
    const { exchange, capabilities } = this.#host
    const { inputBytes } = this.#module.limits
    if (request.input.length > inputBytes) return refused(request.input.length, inputBytes)
    const began = performance.now()
    const tell = (answer: RuleAnswer | null, failure: Ran['failure']): Ran => {
      // Key by key: a copy by spreading takes longer than some rules.
      const { log, dropped, counters, reads, writes } = capabilities.told()
      const ms = performance.now() - began
      const memoryPages = this.#guest?.pages() ?? 0
      const outputBytes = exchange.output?.length ?? 0
      const fuel = this.#used()
      return { answer, failure, fuel, ms, memoryPages, outputBytes, log, dropped, counters, reads, writes }
    }
    let isFaulty = false
    try {
      const guest = this.#guest ?? (await this.prepare())
      this.#begin(request)
      return tell(this.#evaluate(guest), null)
    } catch (error) {
      isFaulty = true
      return tell(null, explain(error, this.#guest))
    } finally {
      // What one call leaves behind reaches no other.
      if (isFaulty || this.#guest?.restore?.() !== true) this.#guest = null
      exchange.forget()
    }
  }

  #evaluate(guest: Guest): RuleAnswer {
    const { exchange } = this.#host
    guest.fuel.value = this.#fuel
    this.#host.wasi?.begin(exchange.input)
    const code = guest.evaluate()
    if (exchange.error !== null) throw new RuleFault('error', `said: ${exchange.error}`)
    if (code !== 0) throw new RuleFault('error', `ended with ${String(code)} instead of 0`)
    if (this.#used() > this.#module.limits.fuel) throw new RuleFault('fuel', 'used more than its fuel')
    if (exchange.output === null) throw new RuleFault('answer', 'answered nothing')
    return readAnswer(exchange.output)
  }

  #used(): number {
    return this.#guest === null ? 0 : this.#counted() + this.#host.exchange.charged
  }

  /** By the guest itself; before there is one, nothing is known of it. */
  #counted(): number {
    const left = this.#guest?.fuel.value
    return left === undefined ? 0 : Number(this.#fuel - left)
  }
}

/** Few need it. */
const loadStub = () => createRequire(import.meta.url)('../wasi.js') as typeof Wasi

const noCall: RunRequest = { input: new Uint8Array(0), kv: null }

const refused = (bytes: number, most: number): Ran =>
  notRun({ kind: 'refused', message: `the message has ${bytes} bytes, more than the ${most} that the rule takes` })
