import type { Artifact, ConfigError } from '@gatehouse/sdk'
import { RuleGrants, RuleManifest } from '@gatehouse/sdk/rule-abi'
import type { Limits, RuleBundle } from '@gatehouse/rule-sandbox'
import type { RuleConfig } from './config.js'

export type Read<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errors: readonly ConfigError[] }

export const refuse = (message: string, path = 'module') => ({ ok: false, errors: [{ message, path }] }) as const

type Ceilings = Readonly<{ [Key in keyof Limits]?: number | undefined }>

/** What core keeps as a module, for the sandbox; the lower of the operator's ceilings and the rule's own limits stand in it. */
export function readBundle(artifact: Artifact | undefined, ...ceilings: readonly Ceilings[]): Read<RuleBundle> {
  if (artifact === undefined)
    return refuse('names no module that is here: upload one with `gatehouse rules upload`, then name it')
  const manifest = RuleManifest.safeParse(artifact.manifest)
  if (!manifest.success) return refuse(`its manifest: ${problemOf(manifest.error)}`)
  const grants = RuleGrants.safeParse(artifact.grants)
  if (!grants.success) return refuse(`its grants: ${problemOf(grants.error)}`)
  // A view into a larger buffer would be sent with all of it.
  const bytes = new Uint8Array(artifact.bytes)
  return {
    ok: true,
    value: { bytes, manifest: manifest.data, grants: grants.data, ceilings: lowest(ceilings) },
  }
}

function problemOf({
  issues,
}: {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
}): string {
  const [issue] = issues
  if (issue === undefined) return 'is not valid'
  return issue.path.length === 0 ? issue.message : `${issue.path.map(String).join('.')}: ${issue.message}`
}

function lowest(ceilings: readonly Ceilings[]): Partial<Limits> {
  const all: Partial<Record<keyof Limits, number>> = {}
  for (const one of ceilings)
    for (const [key, value] of Object.entries(one) as [keyof Limits, number | undefined][])
      if (value !== undefined) all[key] = Math.min(value, all[key] ?? value)
  return all
}

/** A rule's own limits may only be lower than what holds without them. */
export function checkLimits(wanted: RuleConfig['limits'], allowed: Limits): readonly ConfigError[] {
  return Object.entries(wanted ?? {}).flatMap(([key, value]) => {
    const most = allowed[key as keyof Limits]
    if (value === undefined || value <= most) return []
    return [{ path: `limits.${key}`, message: `must be at most ${most}, which this module may use here` }]
  })
}
