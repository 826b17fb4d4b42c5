import { trustOf } from '../../domain/artifact-trust.js'
import { resolveVersion } from '../../domain/artifacts.js'
import type { Work } from '../work.js'
import { artifactUsers, namesOfUsers } from './artifact-references.js'

/** What rules name and the settings forbid, a line for each version: those rules cannot decide. */
export async function stoppedModules({ store, checks }: Work): Promise<string[]> {
  const [gateways, { ruleModules }] = await Promise.all([store.gateways.all(), store.settings.get()])
  const lines: string[] = []
  for (const artifact of await store.artifacts.all()) {
    const users = artifactUsers(gateways, checks.engines(), artifact)
    if (users.length === 0) continue
    const versions = await store.artifacts.versions(artifact.id)
    const named = users.map((user) => ({ user, version: resolveVersion(artifact, versions, user.reference.at) }))
    for (const version of versions) {
      const own = named.filter((one) => one.version === version)
      if (own.length === 0) continue
      const { manifest } = await store.artifacts.content(artifact.id, version.version)
      const trust = trustOf(version, manifest, ruleModules)
      const who = namesOfUsers(own.map(({ user }) => user))
      if (!trust.ok)
        lines.push(`${artifact.slug}@${version.version} must not run, and ${who} cannot decide: ${trust.reason}`)
    }
  }
  return lines
}
