import type { Quickstart } from '../configuration/quickstart.js'
import type { Host } from '../host/lifecycle.js'
import { VERSION } from './house.js'

export function banner(url: string, quickstart: Quickstart | null, host: Host): string {
  const lines = ['', `Gatehouse ${VERSION} listens at ${url}`, `  plugins: ${host.plugins.join(', ')}`]
  if (quickstart === null) return [...lines, ''].join('\n')
  const endpoint = `${url}/mcp/${quickstart.gateway}`
  return [
    ...lines,
    '',
    `  MCP URL:  ${endpoint}`,
    `  Token:    ${quickstart.token}`,
    '',
    '  Paste this into a terminal to connect Claude Code:',
    `  claude mcp add --transport http gatehouse ${endpoint} --header "Authorization: Bearer ${quickstart.token}"`,
    '',
  ].join('\n')
}
