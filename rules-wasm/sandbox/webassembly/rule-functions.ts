import type { Capabilities } from '../capabilities.js'
import { encodeText } from '../text.js'
import type { Exchange } from './exchange.js'
import type { GuestMemory } from './guest-memory.js'

/** What host functions work on. */
export interface Host {
  readonly memory: GuestMemory
  readonly exchange: Exchange
  readonly capabilities: Capabilities
}

export type Functions = Readonly<Record<string, (...values: never[]) => unknown>>

/** Our own host functions (`RULE_HOST_FUNCTIONS`). Which of them a module may import was settled when it was vetted. */
export function ruleFunctions(host: Host): Functions {
  return { ...transfer(host), ...plain(host), ...store(host), ...regex(host) }
}

function transfer({ memory, exchange }: Host): Functions {
  return {
    input_read(out: number, offset: number, length: number): number {
      const { input } = exchange
      const start = offset >>> 0
      const end = Math.min(start + (length >>> 0), input.length)
      if (start >= end) return 0
      exchange.chargeBytes(end - start)
      const part = start === 0 && end === input.length ? input : input.subarray(start, end)
      return memory.write(out, part.length, part)
    },
    output_write(pointer: number, length: number): void {
      exchange.chargeBytes(Math.min(length >>> 0, exchange.limits.outputBytes))
      exchange.answer(memory.view(pointer, length))
    },
  }
}

function plain({ memory, exchange, capabilities }: Host): Functions {
  /** The configuration stays as it is. */
  const encoded = new Map<string, Uint8Array>()
  const bytesOf = (key: string): Uint8Array | undefined => {
    const value = capabilities.readConfig(key)
    if (value === undefined) return undefined
    const bytes = encoded.get(key) ?? encodeText(value)
    encoded.set(key, bytes)
    return bytes
  }
  return {
    log(level: number, pointer: number, length: number): void {
      capabilities.log(level, memory.view(pointer, length))
    },
    config_read(key: number, keyLength: number, out: number, room: number): number {
      exchange.chargeBytes(keyLength >>> 0)
      const bytes = bytesOf(memory.text(key, keyLength, 'a key'))
      return bytes === undefined ? -1 : give({ memory, exchange }, [out, room], bytes)
    },
    counter_add(name: number, nameLength: number, n: number): void {
      exchange.chargeBytes(nameLength >>> 0)
      capabilities.count(memory.text(name, nameLength, 'the name of a counter'), n)
    },
  }
}

function store({ memory, exchange, capabilities }: Host): Functions {
  const key = (pointer: number, length: number): string => {
    exchange.charge(storeCost + Math.ceil((length >>> 0) / 16))
    return memory.text(pointer, length, 'a key')
  }
  return {
    kv_get(pointer: number, length: number, out: number, room: number): number {
      const value = capabilities.store.get(key(pointer, length))
      return value === null ? -1 : give({ memory, exchange }, [out, room], encodeText(value))
    },
    kv_set(pointer: number, length: number, ...[at, size, ttlSeconds]: [number, number, number]): number {
      const name = key(pointer, length)
      exchange.chargeBytes(size >>> 0)
      return capabilities.store.set(name, memory.text(at, size, 'a value'), ttlSeconds >>> 0) ? 1 : 0
    },
    kv_delete(pointer: number, length: number): void {
      capabilities.store.delete(key(pointer, length))
    },
  }
}

function regex({ memory, exchange, capabilities }: Host): Functions {
  return {
    regex_match(id: number, idLength: number, ...rest: [number, number, number, number]): number {
      const [pointer, length, from, out] = rest
      exchange.chargeBytes(idLength >>> 0)
      const text = memory.view(pointer, length)
      exchange.charge(matchCost)
      const match = capabilities.match(memory.text(id, idLength, 'the name of a pattern'), text, from >>> 0, exchange)
      if (match === undefined) return -1
      const { found } = match
      if (found === null) return 0
      memory.write(out, 8, new Uint8Array(Int32Array.from(found).buffer))
      return 1
    },
  }
}

/** Copies a text of the host into the guest, as far as there is room; answers its whole length. */
function give(
  { memory, exchange }: Pick<Host, 'memory' | 'exchange'>,
  at: readonly [number, number],
  bytes: Uint8Array,
): number {
  const [out, room] = at
  exchange.chargeBytes(bytes.length)
  return memory.write(out, room, bytes)
}

const storeCost = 100
const matchCost = 200
