const MiB = 1024 * 1024

/** What may come on top between the second third of the time and the last. Warm-up is over by then. */
export const BOUNDS = { heapShare: 0.05, heap: 3 * MiB, rssShare: 0.08, rss: 24 * MiB, sockets: 12 }

/** The second third against the last: a leak grows, a cache that is full does not. */
export function judgeMemory(samples) {
  const [, second = [], last = []] = thirds(samples)
  const heap = (sample) => sample.heapUsed + sample.external
  return [
    flat('memory after collection', median(second, heap), median(last, heap), [BOUNDS.heapShare, BOUNDS.heap]),
    flat(
      'resident memory',
      median(second, ({ rss }) => rss),
      median(last, ({ rss }) => rss),
      [BOUNDS.rssShare, BOUNDS.rss],
    ),
  ]
}

export function judgeSockets(samples) {
  const [, second = [], last = []] = thirds(samples)
  const open = ({ inbound, outbound }) => inbound + outbound
  const [before, after] = [median(second, open), median(last, open)]
  return verdict(
    'sockets do not grow',
    after <= before + BOUNDS.sockets,
    `${before} then ${after}, at most ${BOUNDS.sockets} more`,
  )
}

function flat(name, before, after, [share, more]) {
  const most = before * (1 + share) + more
  const said = `${mib(before)} then ${mib(after)} MiB, at most ${mib(most)}`
  return verdict(`${name} is flat`, after <= most, said)
}

export const verdict = (name, holds, said) => ({ name, holds, said })

function thirds(samples) {
  const size = Math.floor(samples.length / 3)
  return size === 0 ? [] : [samples.slice(0, size), samples.slice(size, 2 * size), samples.slice(2 * size)]
}

function median(list, of) {
  const sorted = list.map(of).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

export const mib = (bytes) => (bytes / MiB).toFixed(1)
