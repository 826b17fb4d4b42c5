import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fail, install, root } from './install.mjs'

const folder = join(root, 'scripts', 'node24')

/**
 * Node 24 and the peers of the tests that need it. They live in a package of their own, since a `node` binary in
 * the workspace's node_modules/.bin would shadow the one in use in every npm script.
 *
 * @returns {{ node: string, inspector: string, mcpRemote: string, conformance: string }} paths of the binary and of the peers' entry files
 */
export function ensureNode24() {
  install(folder)
  const bin = (name) => join(folder, 'node_modules', '.bin', name)
  const peers = {
    node: bin('node'),
    inspector: bin('mcp-inspector'),
    mcpRemote: bin('mcp-remote'),
    conformance: bin('conformance'),
  }
  for (const path of Object.values(peers)) {
    if (!existsSync(path)) fail(`${path} is missing: remove ${join(folder, 'node_modules')} and try again.`)
  }
  return peers
}
