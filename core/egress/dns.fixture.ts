import { createSocket } from 'node:dgram'
import type { RemoteInfo } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Lookup } from './resolve.js'

/** What a name leads to: addresses of both families, or another name. */
export type Records = readonly string[] | { readonly cname: string }

export interface NameServer {
  /** Resolves with it, as `A` and `AAAA`. */
  readonly lookup: Lookup
  /** The questions, in their order: `A name`. */
  readonly asked: readonly string[]
  stop(): Promise<void>
}

const A = 1
const CNAME = 5
const AAAA = 28
const ENDED = Buffer.from([0])

/**
 * A name server over UDP (RFC 1035), whose answers are good for no second. `answer` is asked for every resolution of a name, with
 * how many there were before.
 */
export async function startNameServer(answer: (name: string, before: number) => Records): Promise<NameServer> {
  const asked: string[] = []
  const counts = new Map<string, number>()
  const socket = createSocket('udp4')
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { name, type, end } = questionOf(query)
    asked.push(`${type === A ? 'A' : 'AAAA'} ${name}`)
    const key = `${type} ${name}`
    const before = counts.get(key) ?? 0
    counts.set(key, before + 1)
    socket.send(
      answerTo(
        query,
        end,
        recordsOf(name, type, (of) => answer(of, before)),
      ),
      from.port,
      from.address,
    )
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const resolver = new Resolver({ timeout: 1_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  return {
    asked,
    lookup: async (host) => {
      const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
      const addresses = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
      if (addresses.length === 0) throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
      return addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
    },
    async stop() {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}

interface ResourceRecord {
  readonly name: string
  readonly type: number
  readonly data: Buffer
}

function recordsOf(name: string, type: number, answer: (name: string) => Records): ResourceRecord[] {
  const records = answer(name)
  if ('cname' in records)
    return [{ name, type: CNAME, data: encode(records.cname) }, ...recordsOf(records.cname, type, answer)]
  return records
    .filter((address) => isIPv6(address) === (type === AAAA))
    .map((address) => ({ name, type, data: Buffer.from(ipaddr.parse(address).toByteArray()) }))
}

const encode = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'ascii')])),
    ENDED,
  ])

function questionOf(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function answerTo(query: Buffer, end: number, records: readonly ResourceRecord[]): Buffer {
  const header = Buffer.from(query.subarray(0, 12))
  // An answer, with recursion; the question as it came, and nothing of authority or besides.
  header.writeUInt16BE(0x81_80, 2)
  header.writeUInt16BE(records.length, 6)
  header.writeUInt32BE(0, 8)
  const answers = records.map(({ name, type, data }) => {
    const fixed = Buffer.alloc(10)
    fixed.writeUInt16BE(type, 0)
    fixed.writeUInt16BE(1, 2)
    fixed.writeUInt16BE(data.length, 8)
    return Buffer.concat([encode(name), fixed, data])
  })
  return Buffer.concat([header, query.subarray(12, end), ...answers])
}
