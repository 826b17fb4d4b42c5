import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Node 24 and the peers that need it, as paths of the binary and of the scripts to run with it. */
export interface Node24 {
  readonly node: string
  readonly inspector: string
  readonly mcpRemote: string
}

/** The test runner installs them before a run that needs them; a file run by hand may have to ask for that. */
export function node24(): Node24 {
  const bin = (name: string): string => {
    const path = fileURLToPath(new URL(`../../../scripts/node24/node_modules/.bin/${name}`, import.meta.url))
    if (!existsSync(path)) throw new Error(`${path} is missing: run npm ci in scripts/node24`)
    return path
  }
  return { node: bin('node'), inspector: bin('mcp-inspector'), mcpRemote: bin('mcp-remote') }
}
