import { encodeText, decodeStrict } from '../text.js'
import { RuleFault } from '../fault.js'
import type { WasiStub } from '../wasi.js'
import type { Blocks } from './blocks.js'
import type { Functions, Host } from './rule-functions.js'

/** Under which name Extism's functions are imported. */
export const EXTISM_MODULE = 'extism:host/env'

/** A host with the memory of Extism's functions, and the stub of WASI for a module that was granted it. */
export interface ExtismHost extends Host {
  readonly blocks: Blocks
  readonly wasi: WasiStub | null
}

/**
 * Extism's environment, as its kits for guests expect it, but bounded: the SDK's own functions look at every block at each allocation,
 * find keys of the configuration on `Object.prototype`, and read undefined where a block is missing.
 */
export function extismFunctions(host: ExtismHost): Functions {
  return { ...memory(host), ...input(host), ...output(host), ...words(host) }
}

function memory({ blocks, exchange }: ExtismHost): Functions {
  return {
    alloc(length: bigint): bigint {
      const size = toNumber(length)
      exchange.chargeBytes(size)
      return BigInt(blocks.allocate(size))
    },
    free: (address: bigint): void => blocks.free(toNumber(address)),
    length: (address: bigint): bigint => BigInt(blocks.lengthOf(toNumber(address))),
    length_unsafe: (address: bigint): bigint => BigInt(blocks.lengthOf(toNumber(address))),
    load_u8(address: bigint): number {
      const at = toNumber(address)
      return blocks.at(at, 1).getUint8(at)
    },
    load_u64(address: bigint): bigint {
      const at = toNumber(address)
      return blocks.at(at, 8).getBigUint64(at, true)
    },
    store_u8(address: bigint, value: number): void {
      const at = toNumber(address)
      blocks.at(at, 1).setUint8(at, value)
    },
    store_u64(address: bigint, value: bigint): void {
      const at = toNumber(address)
      blocks.at(at, 8).setBigUint64(at, value, true)
    },
  }
}

function input({ blocks, exchange }: ExtismHost): Functions {
  /** A copy, made when it is asked for: the guest can write to it. */
  const place = (): bigint => {
    if (exchange.inputAddress === 0) exchange.inputAddress = store(blocks, exchange.input)
    return BigInt(exchange.inputAddress)
  }
  return {
    input_offset: place,
    input_length: (): bigint => BigInt(exchange.input.length),
    input_load_u8(offset: bigint): number {
      const value = exchange.input[toNumber(offset)]
      if (value === undefined) throw new RuleFault('trap', 'read behind the end of its input')
      return value
    },
    input_load_u64(offset: bigint): bigint {
      const at = toNumber(offset)
      const { input: bytes } = exchange
      if (at + 8 > bytes.length) throw new RuleFault('trap', 'read behind the end of its input')
      return exchange.view.getBigUint64(at, true)
    },
  }
}

function output({ blocks, exchange }: ExtismHost): Functions {
  return {
    output_set(address: bigint, length: bigint): void {
      const size = toNumber(length)
      exchange.chargeBytes(size)
      exchange.answer(size === 0 ? none : blocks.part(toNumber(address), size))
    },
    error_set(address: bigint): void {
      exchange.charge(ERROR_COST)
      exchange.fail(blocks.whole(toNumber(address)))
    },
  }
}

function words({ blocks, exchange, capabilities }: ExtismHost): Functions {
  const log =
    (level: number) =>
    (address: bigint): void => {
      const at = toNumber(address)
      capabilities.log(level, blocks.whole(at))
      blocks.free(at)
    }
  return {
    config_get(address: bigint): bigint {
      const key = decodeStrict(blocks.whole(toNumber(address)), 'a key')
      exchange.chargeBytes(key.length)
      blocks.free(toNumber(address))
      const value = capabilities.readConfig(key)
      if (value === undefined) return 0n
      const bytes = encodeText(value)
      exchange.chargeBytes(bytes.length)
      return BigInt(store(blocks, bytes))
    },
    log_trace: log(0),
    log_debug: log(0),
    log_info: log(1),
    log_warn: log(2),
    log_error: log(3),
    /** Of Extism's levels: the lowest, since whoever runs the rule chooses. */
    get_log_level: (): number => 0,
  }
}

function store(blocks: Blocks, bytes: Uint8Array): number {
  const address = blocks.allocate(bytes.length)
  blocks.part(address, bytes.length).set(bytes)
  return address
}

/** Making words for people out of some bytes. */
const ERROR_COST = 2_000
const none = new Uint8Array(0)
/** What is negative or larger than any memory is outside of it. */
const toNumber = (value: bigint): number => (value >= 0n && value < 0x1_0000_0000n ? Number(value) : 0xffff_ffff)
