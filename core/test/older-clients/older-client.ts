import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js'
import type { Access } from '../gateway.js'

export interface OlderOptions {
  readonly capabilities?: ClientCapabilities
  readonly version?: string
  /** Before it connects. */
  readonly prepare?: (client: Client) => void
}

/** The official client over the transport of 2024-11-05; it asks for that version unless told another one. */
export async function olderClient(
  { url, token }: Access,
  { capabilities = {}, version = '2024-11-05', prepare }: OlderOptions = {},
): Promise<Client> {
  const transport = new SSEClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  })
  const send = transport.send.bind(transport)
  transport.send = (message) => {
    if (!('method' in message) || message.method !== 'initialize') return send(message)
    return send({ ...message, params: { ...message.params, protocolVersion: version } })
  }
  const client = new Client({ name: 'older', version: '1.0.0' }, { capabilities })
  prepare?.(client)
  await client.connect(transport as Transport)
  return client
}
