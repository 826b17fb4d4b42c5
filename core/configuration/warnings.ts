import { closest, type FeatureKind } from '@gatehouse/sdk'
import { compileGlob, compileGlobs } from '../domain/globs.js'
import type { Gateway, Rule } from '../domain/nouns.js'
import type { ListKind, SeenList, Store } from '../domain/store.js'

/** What in a rule is allowed and yet hardly meant, e.g. a pattern that fits nothing. Refused is none of it. */
export interface Warning {
  readonly rule: string
  /** Place in the gateway's order. */
  readonly position: number
  readonly message: string
}

type Reads = Pick<Store, 'servers' | 'lists'>

/** The warnings of a gateway's rules, or of some of them. */
export async function warningsOf(
  store: Reads,
  gateway: Gateway,
  rules: readonly Rule[] = gateway.rules,
): Promise<readonly Warning[]> {
  const servers = rules.some(isScoped) ? await seenServers(store, gateway) : []
  return rules.flatMap((rule) => {
    const messages = [...ofServers(rule, servers), ...ofFeatures(rule, servers), ...ofActions(rule)]
    return messages.map((message) => ({ rule: rule.name, position: rule.position, message }))
  })
}

/** As a line, with its place in the file. */
export const warningLine = (gateway: Pick<Gateway, 'slug'>, { rule, position, message }: Warning): string =>
  `gateways.${gateway.slug}.rules[${position}] '${rule}': ${message}`

const isScoped = ({ servers, features }: Rule) => servers.length > 0 || features.length > 0

interface SeenServer {
  readonly names: readonly string[]
  /** Of the kinds that were ever listed: what was in the lists. */
  readonly features: ReadonlyMap<FeatureKind, ReadonlySet<string>>
}

async function seenServers(store: Reads, { assignments }: Gateway): Promise<SeenServer[]> {
  const seen: SeenServer[] = []
  for (const { serverId, as } of assignments) {
    const server = await store.servers.find(serverId)
    const names = [...(as === null ? [] : [as]), ...(server === null ? [] : [server.slug])]
    seen.push({ names, features: featuresOf(await store.lists.seen(serverId)) })
  }
  return seen
}

const KIND_OF: Readonly<Record<ListKind, FeatureKind>> = {
  tools: 'tool',
  prompts: 'prompt',
  resources: 'resource',
  templates: 'resource',
}

function featuresOf(lists: readonly SeenList[]): Map<FeatureKind, Set<string>> {
  const features = new Map<FeatureKind, Set<string>>()
  for (const { kind, entries } of lists) {
    // What a template stands for cannot be listed.
    const names = entries.map((entry) =>
      kind === 'templates' ? '*' : kind === 'resources' ? entry['uri'] : entry['name'],
    )
    const known = features.get(KIND_OF[kind]) ?? new Set<string>()
    for (const name of names) if (typeof name === 'string') known.add(name)
    features.set(KIND_OF[kind], known)
  }
  return features
}

function ofServers({ servers }: Rule, seen: readonly SeenServer[]): string[] {
  const names = [...new Set(seen.flatMap((server) => server.names))]
  return servers.flatMap((glob) => {
    if (names.some(compileGlob(glob))) return []
    const meant = closest(glob, names)
    return [`servers: '${glob}' fits no server of the gateway${meant === undefined ? '' : `; did you mean ${meant}?`}`]
  })
}

function ofFeatures({ servers, features }: Rule, seen: readonly SeenServer[]): string[] {
  const fits = servers.length === 0 ? () => true : compileGlobs(servers)
  const covered = seen.filter((server) => server.names.some(fits))
  return features.flatMap((glob) => {
    const typo = kindTypo(glob)
    if (typo !== null) return [`features: '${glob}' is the name of a tool; ${typo}`]
    const [, prefix, bare = ''] = /^(?:(prompt|resource):)?(.*)$/s.exec(glob) ?? []
    const kind = (prefix ?? 'tool') as FeatureKind
    // Without a list nobody knows.
    if (covered.length === 0 || covered.some((server) => !server.features.has(kind))) return []
    const names = covered.flatMap((server) => [...(server.features.get(kind) ?? [])])
    if (names.includes('*') || names.some(compileGlob(bare))) return []
    const meant = closest(bare, names)
    const hint = meant === undefined ? '' : `; did you mean ${prefix === undefined ? '' : `${prefix}:`}${meant}?`
    return [`features: '${glob}' fits no ${kind} that its servers have shown${hint}`]
  })
}

/** What is probably meant by a word before a colon that is none of ours. */
function kindTypo(glob: string): string | null {
  const [, word] = /^([A-Za-z_-]+):/.exec(glob) ?? []
  if (word === undefined || word === 'prompt' || word === 'resource') return null
  const meant = closest(word, ['prompt', 'resource', 'tool', 'prompts', 'resources', 'tools', 'template'])
  if (meant === undefined) return null
  if (meant.startsWith('tool')) return 'tools are named without a word before them'
  return meant.startsWith('prompt') ? 'did you mean prompt:?' : 'did you mean resource:?'
}

function ofActions({ action, config }: Rule): string[] {
  const unused = [
    ['replacement', 'replace'],
    ['keepLast', 'mask'],
  ].filter(([key = '', needed]) => config[key] !== undefined && action !== needed)
  return unused.map(([key, needed]) => `${key}: is used by the action ${needed} alone`)
}
