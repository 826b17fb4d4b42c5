import { createSnapshots } from '../../core/dist/configuration/snapshots.js'
import { createIdentities } from '../../core/dist/identity/identities.js'
import { createOwnIdentities } from '../../core/dist/identity/own-identities.js'
import { hashSecret } from '../../core/dist/identity/tokens.js'
import { createAuthenticate } from '../../core/dist/rooms/authenticate.js'
import { createPermit } from '../../core/dist/rooms/permit.js'
import { createCredentials } from '../../core/dist/upstream/credentials.js'
import { NO_ABILITY } from '../../core/dist/upstream/ability.js'

const quiet = { warn() {}, error() {} }
/** What `auth-token` does: the hash of the token is all that core is told. */
const bus = {
  has: () => false,
  first: (_, { authorization }) => ({ kind: 'token', hash: hashSecret(authorization.slice('Bearer '.length)) }),
}
const trail = { authenticated() {} }

/** The rooms that say who calls and whether they may, as the gateway puts them together, before one house. */
export async function openDecisions({ store, draws }) {
  let epoch = await store.epoch()
  // Raised, it stands for a change somewhere in the house: nothing of a person is believed that was read before.
  const epochs = { current: () => epoch, freshWithin: () => true, check: async () => epoch, onChange: () => () => {} }
  const own = createOwnIdentities({ store, epochs })
  const identities = createIdentities({ store, epochs, own })
  const snapshots = createSnapshots({ store, epochs, log: quiet, prepareRule: async () => null, retireRule() {} })
  await snapshots.rebuild()
  const credentials = createCredentials({ secrets: store.secrets, identityOf: own.of, bus })
  const authenticate = createAuthenticate(bus, identities)
  const permit = createPermit((call) => credentials.access(call.principal, NO_ABILITY))

  const decide = async ({ authorization, gateway }) => {
    const inbound = {
      room: 'door',
      credentials: { authorization },
      gatewayName: gateway,
      snapshot: snapshots.current(),
      trail,
    }
    const answer = authenticate(inbound)
    const call = answer instanceof Promise ? await answer : answer
    const { assignments } = call.plan
    call.feature = { assignment: assignments[Math.floor(Math.random() * assignments.length)] }
    return permit(call)
  }
  /** As they come off the wire: none of the strings was seen before. */
  const drawn = (count) =>
    Array.from({ length: count }, () => {
      const { authorization, gateway } = draws[Math.floor(Math.random() * draws.length)]
      return { authorization: Buffer.from(authorization).toString('latin1'), gateway }
    })
  return {
    /** Everyone once, so that memory holds all of them. */
    async meetAll() {
      for (let from = 0; from < draws.length; from += 32) await Promise.all(draws.slice(from, from + 32).map(decide))
    },
    /** So many decisions about people drawn evenly from all; microseconds for one, of the clock and of this process. */
    async burst(count, { isForgetful }) {
      const asked = drawn(count)
      const cpu = process.cpuUsage()
      const began = process.hrtime.bigint()
      for (const one of asked) {
        if (isForgetful) epoch += 1
        await decide(one)
      }
      const { user, system } = process.cpuUsage(cpu)
      return { us: Number(process.hrtime.bigint() - began) / 1_000 / count, cpuUs: (user + system) / count }
    },
    /** Milliseconds to read the whole configuration and swap it in. */
    async rebuild() {
      const began = performance.now()
      await snapshots.rebuild()
      return performance.now() - began
    },
    async stop() {
      await identities.stop()
      await snapshots.stop()
    },
  }
}
