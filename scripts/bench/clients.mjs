/** How a client of each era begins, and how it writes a request: the message and the headers of its own. */
const LEGACY_VERSION = '2025-11-25'
const MODERN_VERSION = '2026-07-28'
const info = { name: 'bench', version: '1.0.0' }
const PREFIX = 'io.modelcontextprotocol/'
const ENVELOPE = {
  [`${PREFIX}protocolVersion`]: MODERN_VERSION,
  [`${PREFIX}clientCapabilities`]: {},
  [`${PREFIX}clientInfo`]: info,
}

export const CLIENTS = {
  legacy: { open: initialize, write: ({ id, method, params }) => ({ message: rpc(id, method, params), headers: {} }) },
  modern: { open: async () => ({}), write: writeModern },
}

const rpc = (id, method, params) => ({ jsonrpc: '2.0', id, method, params })

/** Answers the headers of all requests that follow; a session that is given is used for them. */
async function initialize(ask, name) {
  const params = { protocolVersion: LEGACY_VERSION, capabilities: {}, clientInfo: info }
  const { status, head, message } = await ask(rpc(1, 'initialize', params), {})
  if (message?.result === undefined)
    throw new Error(`${name} answers initialize with ${status} ${JSON.stringify(message)}`)
  const session = /^mcp-session-id: *(\S+)/im.exec(head)?.[1]
  const headers = {
    'mcp-protocol-version': LEGACY_VERSION,
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
  }
  await ask({ jsonrpc: '2.0', method: 'notifications/initialized' }, headers)
  return headers
}

function writeModern({ id, method, params }) {
  const headers = {
    'mcp-protocol-version': MODERN_VERSION,
    'mcp-method': method,
    ...(params.name === undefined ? {} : { 'mcp-name': params.name }),
  }
  return { message: rpc(id, method, { ...params, _meta: { ...params._meta, ...ENVELOPE } }), headers }
}
