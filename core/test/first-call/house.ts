import { startGateway, type RunningGateway } from '../gateway.js'
import { startRealServers, type RealServers } from '../real-servers.js'

/** Five real servers behind the gateway `house`: the same one as a command and over HTTP, and the documentation. */
export interface House {
  readonly gateway: RunningGateway
  readonly servers: RealServers
  stop(): Promise<void>
}

export async function startHouse(): Promise<House> {
  const servers = await startRealServers()
  // The documentation is served by the gateway itself: its address is known once the port is.
  const gateway = await startGateway({ yaml: houseYaml(servers) })
  await gateway.configure(houseYaml(servers, `${gateway.url}/docs/mcp`))
  return {
    gateway,
    servers,
    stop: async () => {
      await gateway.stop()
      await servers.stop()
    },
  }
}

function houseYaml({ yaml }: RealServers, docs?: string): string {
  return `version: 1
servers:${yaml}${docs === undefined ? '' : `  docs: { url: "${docs}" }\n`}
gateways:
  house:
    servers:
      - { server: everything }
      - { server: everything-http, as: web }
      - { server: files }
      - { server: memory }
${docs === undefined ? '' : '      - { server: docs }\n'}`
}
