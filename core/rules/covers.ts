import type { FeatureKind } from '@gatehouse/sdk'
import { compileGlobs } from '../domain/globs.js'
import type { Rule } from '../domain/nouns.js'
import type { CompiledRule } from '../domain/snapshot.js'
import { NO_FEATURE } from './engines.js'

/**
 * Which subjects a rule looks at. `servers` fits the assignment's prefix or the server's slug; empty: all. `features` fits
 * a tool's name; `prompt:` and `resource:` before a glob reach the other kinds, which no rule covers unless told to.
 * Empty: all tools.
 */
export function compileCovers(rule: Pick<Rule, 'servers' | 'features'>): CompiledRule['covers'] {
  const servers = rule.servers.length === 0 ? null : compileGlobs(rule.servers)
  const features = {
    prompt: compileGlobs(without('prompt:', rule.features)),
    resource: compileGlobs(without('resource:', rule.features)),
    tool:
      rule.features.length === 0 ? () => true : compileGlobs(rule.features.filter((glob) => !OTHER_KIND.test(glob))),
  } satisfies Record<FeatureKind, (name: string) => boolean>
  return (prefix, serverSlug, kind, feature) =>
    (feature === NO_FEATURE || features[kind](feature)) && (servers === null || servers(prefix) || servers(serverSlug))
}

const OTHER_KIND = /^(?:prompt|resource):/

const without = (prefix: string, globs: readonly string[]) =>
  globs.filter((glob) => glob.startsWith(prefix)).map((glob) => glob.slice(prefix.length))
