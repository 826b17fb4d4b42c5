import { networkOf } from '../domain/network.js'
import type { MessageRecord } from '../domain/record.js'
import { uuidv7 } from './trail.js'
import type { Recorder } from './types.js'

/** Writes the first refusals of a kind one by one, and of those that follow how many there were. */
export interface RefusalFold extends Recorder {
  /** Writes down what was counted. */
  flush(): Promise<void>
  stop(): Promise<void>
}

export interface FoldOptions {
  /** Whether what was asked for tells one kind from another: only where a stranger cannot make it up. */
  readonly byMethod: boolean
  /** So many of a kind are written one by one in an interval. */
  readonly first?: number
  /** So many kinds are told apart in an interval; all further ones are one. */
  readonly kinds?: number
  readonly everyMs?: number
}

interface Kind {
  seen: number
  folded: number
  last: MessageRecord | null
}

/**
 * Keeps a flood of strangers from filling the record. A kind is the address (of IPv6, its network), the status and the
 * reason. Every message but a refusal goes through as it is.
 */
export function foldRefusals(recorder: Recorder, options: FoldOptions): RefusalFold {
  const { byMethod, first = 20, kinds: most = 500, everyMs = 60_000 } = options
  let kinds = new Map<string, Kind>()
  let ofNetwork = new Map<string, number>()

  /** Many reasons hold words of whoever is refused: nobody takes the room of others with what they make up. */
  const keyOf = (network: string, name: string): string => {
    if (kinds.has(name)) return name
    const count = ofNetwork.get(network) ?? 0
    const own = `${network} ${OTHERS}`
    if (count >= MOST_OF_NETWORK && kinds.has(own)) return own
    if (kinds.size >= most) return OTHERS
    ofNetwork.set(network, count + 1)
    return count < MOST_OF_NETWORK ? name : own
  }

  const kindOf = (record: MessageRecord): Kind => {
    const error = record.legs.at(-1)?.error ?? ''
    const network = networkOf(record.ip ?? '')
    const key = keyOf(network, `${network} ${record.httpStatus} ${byMethod ? record.method : ''} ${error}`)
    const known = kinds.get(key) ?? { seen: 0, folded: 0, last: null }
    kinds.set(key, known)
    return known
  }

  const flush = async (): Promise<void> => {
    const counted = kinds
    kinds = new Map()
    ofNetwork = new Map()
    for (const { folded, last } of counted.values())
      if (last !== null) await recorder.append(sumOf(last, folded, Math.round(everyMs / 1_000)))
  }
  // A record that is full says so itself.
  const timer = setInterval(() => void flush().catch(() => undefined), everyMs)
  timer.unref()

  return {
    append(record) {
      if (record.outcome !== 'auth_refused') return recorder.append(record)
      const kind = kindOf(record)
      kind.seen += 1
      if (kind.seen <= first) return recorder.append(record)
      kind.folded += 1
      kind.last = record
      return Promise.resolve()
    },
    flush,
    async stop() {
      clearInterval(timer)
      await flush().catch(() => undefined)
    },
  }
}

const OTHERS = 'others'
/** So many kinds of one address or network are told apart. */
const MOST_OF_NETWORK = 20

function sumOf(last: MessageRecord, folded: number, seconds: number): MessageRecord {
  const at = Date.now()
  const leg = last.legs.at(-1)
  const error = `${leg?.error ?? ''}, ${folded} more like it within ${seconds} s`
  return { ...last, id: uuidv7(at), at, rpcId: null, legs: leg === undefined ? [] : [{ ...leg, offset: 0, error }] }
}
