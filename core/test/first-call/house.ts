import { startGateway, type RunningGateway } from '../gateway.js'
import { startRealServers, type RealServers } from '../real-servers.js'

/** Five real servers behind the gateway `house`: the same one as a command and over HTTP, and the documentation. */
export interface House {
  readonly gateway: RunningGateway
  readonly servers: RealServers
  stop(): Promise<void>
}

/** Its gateway offers the older transport, too, when told so. */
export async function startHouse({ legacySse = false } = {}): Promise<House> {
  const servers = await startRealServers()
  // The documentation is served by the gateway itself: its address is known once the port is.
  const gateway = await startGateway({ yaml: houseYaml(servers, { legacySse }) })
  await gateway.configure(houseYaml(servers, { legacySse, docs: `${gateway.url}/docs/mcp` }))
  return {
    gateway,
    servers,
    stop: async () => {
      await gateway.stop()
      await servers.stop()
    },
  }
}

interface HouseFile {
  readonly legacySse: boolean
  readonly docs?: string
}

function houseYaml({ yaml }: RealServers, { legacySse, docs }: HouseFile): string {
  return `version: 1
servers:${yaml}${docs === undefined ? '' : `  docs: { url: "${docs}" }\n`}
gateways:
  house:
    legacySse: ${legacySse}
    servers:
      - { server: everything }
      - { server: everything-http, as: web }
      - { server: files }
      - { server: memory }
${docs === undefined ? '' : '      - { server: docs }\n'}`
}
