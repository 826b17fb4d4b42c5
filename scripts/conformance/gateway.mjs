import { startFixture } from '../../core/dist/test/conformance/fixture.js'
import { startGateway } from '../../core/dist/test/gateway.js'
import { startCluster } from '../../core/dist/test/replicas/cluster.js'
import { roundRobin } from '../../core/dist/test/replicas/round-robin.js'
import { startShim } from './shim.mjs'

/**
 * The real gateway with a home and a database of its own: a gateway for each of `fronts`, each over a server that speaks
 * the eras the front is called after. `replicas` is two processes on one database behind a balancer without stickiness, over
 * a server of both eras. Answers the URLs that the suite can call without a token.
 */
export async function startFronts({ fronts, askOn }, closing) {
  const fixtures = new Map()
  for (const eras of new Set(['both', ...fronts.filter(isAlone)])) {
    const fixture = await startFixture({ eras, askOn })
    closing.push(() => fixture.stop())
    fixtures.set(eras, fixture)
  }
  const urls = { direct: fixtures.get('both').url }
  const logs = []
  const behind = fronts.filter(isAlone)
  if (behind.length > 0) {
    const gateway = await startGateway({ yaml: fileFor(behind, fixtures), env: LOUD })
    closing.push(() => gateway.stop())
    logs.push(() => gateway.logs())
    for (const front of behind) {
      const access = await gateway.mintToken({ gateway: front, host: 'conformance' })
      urls[front] = await openShim(access, closing)
    }
  }
  if (fronts.includes('replicas')) {
    const cluster = await startCluster({ yaml: fileFor(['both'], fixtures), env: LOUD })
    closing.push(() => cluster.stop())
    const balancer = await roundRobin(cluster.gateways.map(({ url }) => url))
    closing.push(() => balancer.stop())
    logs.push(...cluster.gateways.map((gateway) => () => gateway.logs()))
    const access = await cluster.gateways[0].mintToken({ gateway: 'both', host: 'conformance' })
    urls.replicas = await openShim(balancer.through(access), closing)
  }
  return { urls, log: () => logs.map((log) => log()).join('\n') }
}

const LOUD = { LOG_LEVEL: 'debug' }
/** One gateway process serves it. */
const isAlone = (front) => front !== 'direct' && front !== 'replicas'

async function openShim({ url, token }, closing) {
  const shim = await startShim({ gateway: url, token })
  closing.push(shim.stop)
  return shim.url
}

/** JSON is YAML. The suite calls features by name, so nothing may be put before them. */
function fileFor(fronts, fixtures) {
  const serverOf = (front) => ({ url: fixtures.get(front).url, auth: 'none', protocol: 'auto' })
  const gatewayOf = (front) => ({ prefix: 'never', servers: [{ server: front }] })
  return JSON.stringify({
    version: 1,
    servers: Object.fromEntries(fronts.map((front) => [front, serverOf(front)])),
    gateways: Object.fromEntries(fronts.map((front) => [front, gatewayOf(front)])),
  })
}
