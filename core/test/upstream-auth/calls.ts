import type { Access } from '../gateway.js'
import { post } from '../door.js'
import type { Answer } from '../door.js'
import { META, MODERN_VERSION } from '../../mcp/versions.js'

/** A client of the modern era that calls one tool, with these capabilities. */
export function callTool(
  access: Access,
  name: string,
  { capabilities = {}, extra = {} }: { capabilities?: object; extra?: object } = {},
): Promise<Answer> {
  return post(access, bodyOf('tools/call', { name, arguments: {}, ...extra }, capabilities), {
    headers: { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': 'tools/call', 'mcp-name': name },
  })
}

export async function toolNames(access: Access): Promise<readonly string[]> {
  const answer = await post(access, bodyOf('tools/list', {}, {}), {
    headers: { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': 'tools/list' },
  })
  return (answer.json.result.tools as { name: string }[]).map(({ name }) => name).toSorted()
}

function bodyOf(method: string, params: object, capabilities: object): string {
  const _meta = {
    [META.version]: MODERN_VERSION,
    [META.clientInfo]: { name: 'test', version: '1' },
    [META.capabilities]: capabilities,
  }
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } })
}

/** The text of a tool's answer. */
export const textOf = (answer: Answer): string => answer.json?.result?.content?.[0]?.text ?? JSON.stringify(answer.json)
