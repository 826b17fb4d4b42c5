import { GATEWAYS, openCrowd, SERVERS, TEAMS } from './crowd.mjs'
import { openDecisions } from './decisions.mjs'
import { machine, opened, openPlace, say } from './opened.mjs'

export const SIZES = [10, 1_000, 10_000]
/** `remembered`: the person was here since the last change. `asked`: something changed, so the database is asked each time. */
export const MODES = { remembered: 20_000, asked: 1_000 }

/**
 * Authenticate and permit, with tokens drawn evenly from all people of houses that differ in nothing but how many there are.
 * Each round visits every size, in an order of its own, and the sizes are compared within the round.
 */
export function bench(options) {
  return opened(async (closing) => {
    const on = machine()
    const { postgres } = await openPlace(closing)
    const houses = []
    for (const users of SIZES) {
      say(`filling a house of ${users}`)
      const before = heap()
      const crowd = await openCrowd((await postgres.create(`crowd_${users}`)).url, users)
      closing.push(crowd.close)
      const remembering = await openDecisions(crowd)
      closing.push(remembering.stop)
      await remembering.meetAll()
      const heapMiB = (heap() - before) / 2 ** 20
      const asking = await openDecisions(crowd)
      closing.push(asking.stop)
      houses.push({ users, remembering, asking, heapMiB })
    }
    const rounds = []
    const scale = options.ms / 1_200
    for (let round = 0; round <= options.rounds; round += 1) {
      say(round === 0 ? 'warming up' : `round ${round} of ${options.rounds}`)
      for (const house of rotated(houses, round)) {
        const sample = { round, users: house.users, ...(await visit(house, scale)) }
        if (round > 0) rounds.push(sample)
      }
    }
    const facts = { servers: SERVERS, gateways: GATEWAYS, teams: TEAMS, sizes: SIZES, missing: 0 }
    const heaps = houses.map(({ users, heapMiB }) => ({ users, heapMiB }))
    return { at: new Date().toISOString(), machine: on, options, ...facts, heaps, rounds }
  })
}

async function visit({ remembering, asking }, scale) {
  const remembered = await remembering.burst(Math.ceil(MODES.remembered * scale), { isForgetful: false })
  const asked = await asking.burst(Math.ceil(MODES.asked * scale), { isForgetful: true })
  return { remembered, asked, rebuildMs: await asking.rebuild() }
}

/** Another one is first in each round, and every second round goes the other way. */
function rotated(houses, round) {
  const at = round % houses.length
  const order = [...houses.slice(at), ...houses.slice(0, at)]
  return round % 2 === 0 ? order : order.toReversed()
}

function heap() {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
