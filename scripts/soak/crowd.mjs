import { DEEDS, pick } from './deeds.mjs'
import { Speaker } from './speak.mjs'

const PAUSE_MS = 30

/** Many clients, each doing one thing after the other until they are told to leave. */
export function startCrowd({ accesses, clients, seed }) {
  const counts = Object.fromEntries(Object.keys(DEEDS).map((name) => [name, 0]))
  const failures = []
  let isOver = false

  async function live(n) {
    const random = randomOf(seed * 1_000 + n)
    // Connections come and go as well.
    let client = new Speaker(accesses[n % accesses.length])
    while (!isOver) {
      const name = pick(Object.keys(DEEDS), random)
      try {
        await DEEDS[name](client, random)
        counts[name] += 1
      } catch (error) {
        if (failures.length < 20) failures.push(`${name}: ${error.message.slice(0, 300)}`)
      }
      if (random() < 0.05) {
        await client.close()
        client = new Speaker(accesses[n % accesses.length])
      }
      await new Promise((resolve) => setTimeout(resolve, random() * PAUSE_MS))
    }
    await client.close()
  }

  const all = Promise.all(Array.from({ length: clients }, (_, n) => live(n)))
  return {
    counts,
    failures,
    async leave() {
      isOver = true
      await all
    },
  }
}

/** Mulberry32: the same deeds for the same seed, if not at the same time. */
function randomOf(seed) {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
