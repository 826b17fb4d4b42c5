import { startFixture } from '../../core/dist/test/conformance/fixture.js'
import { startGateway } from '../../core/dist/test/gateway.js'
import { startShim } from './shim.mjs'

/**
 * The real gateway with a home and a database of its own: a gateway for each of `fronts`, each over a server that speaks
 * the eras the front is called after. Answers the URLs that the suite can call without a token.
 */
export async function startFronts({ fronts, askOn }, closing) {
  const fixtures = new Map()
  for (const eras of new Set(['both', ...fronts.filter((front) => front !== 'direct')])) {
    const fixture = await startFixture({ eras, askOn })
    closing.push(() => fixture.stop())
    fixtures.set(eras, fixture)
  }
  const urls = { direct: fixtures.get('both').url }
  const behind = fronts.filter((front) => front !== 'direct')
  if (behind.length === 0) return { urls, log: () => '' }
  const gateway = await startGateway({ yaml: fileFor(behind, fixtures), env: { LOG_LEVEL: 'debug' } })
  closing.push(() => gateway.stop())
  for (const front of behind) {
    const { url, token } = await gateway.mintToken({ gateway: front, host: 'conformance' })
    const shim = await startShim({ gateway: url, token })
    closing.push(shim.stop)
    urls[front] = shim.url
  }
  return { urls, log: () => gateway.logs() }
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
