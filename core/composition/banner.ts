import type { Quickstart } from '../configuration/quickstart.js'
import { VERSION } from './house.js'

export interface Welcome {
  readonly url: string
  /** Where the first super admin comes in; null once one has. */
  readonly setup: string | null
  readonly quickstart: Quickstart | null
  readonly plugins: readonly string[]
}

export function banner({ url, setup, quickstart, plugins }: Welcome): string {
  const lines = ['', `Gatehouse ${VERSION} listens at ${url}`, `  plugins: ${plugins.join(', ')}`]
  if (quickstart !== null) lines.push(...quickstartLines(`${url}/mcp/${quickstart.gateway}`, quickstart.token))
  if (setup !== null)
    lines.push(
      '',
      '  Set up your account as the first super admin (this link is good for a day, and once):',
      `  ${setup}`,
    )
  return [...lines, ''].join('\n')
}

const quickstartLines = (endpoint: string, token: string): string[] => [
  '',
  `  MCP URL:  ${endpoint}`,
  `  Token:    ${token}`,
  '',
  '  Paste this into a terminal to connect Claude Code:',
  `  claude mcp add --transport http gatehouse ${endpoint} --header "Authorization: Bearer ${token}"`,
]
