import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DEFAULT_PINNING, DEFAULT_POISONING, EVERYTHING } from '../domain/provisioning.js'
import type { Store } from '../domain/store.js'
import { mintSecret } from '../identity/tokens.js'

export interface Quickstart {
  readonly gateway: string
  readonly token: string
}

export interface Seed {
  readonly home: string
  readonly docsUrl: string
  /** What its gateway has for rules; none unless told. */
  readonly rulesIn?: (store: Store) => Promise<Parameters<Store['gateways']['setRules']>[1]>
}

const FILE = 'quickstart.json'
const NAME = 'quickstart'

/**
 * On a database that has no gateway yet: the documentation server behind a gateway of its own, with a token for the
 * first client and the default rules, so that the first call needs no account and no internet. The token is kept in the home for the banner.
 */
export async function seedQuickstart(store: Store, { home, docsUrl, rulesIn }: Seed): Promise<void> {
  await followAddress(store, docsUrl)
  if ((await store.gateways.all()).length > 0) return
  const secret = mintSecret('API_')
  // First, for a token that was never stored opens nothing, but one that nobody was told is of no use.
  await keep(home, { gateway: NAME, token: secret.secret })
  await store.transaction(async (tx) => {
    const managedBy = 'system' as const
    const server = await tx.servers.insert({
      slug: 'docs',
      title: 'Gatehouse documentation',
      url: docsUrl,
      command: null,
      cwd: null,
      env: [],
      auth: 'none',
      headers: [],
      oauth: null,
      protocol: 'auto',
      enabled: true,
      managedBy,
    })
    const gateway = await tx.gateways.insert({
      slug: NAME,
      title: 'Quickstart',
      formerSlugs: [],
      prefix: 'collision',
      legacySse: false,
      capture: 'redacted',
      pinning: DEFAULT_PINNING,
      poisoning: DEFAULT_POISONING,
      enabled: true,
      teamIds: [],
      assignments: [],
      rules: [],
      managedBy,
    })
    await tx.gateways.setAssignments(gateway.id, [
      { serverId: server.id, as: null, scheme: { kind: 'open' }, provisioning: EVERYTHING, enabled: true },
    ])
    await tx.gateways.setRules(gateway.id, (await rulesIn?.(tx)) ?? [])
    const host = await tx.hosts.insert({
      slug: NAME,
      title: 'Quickstart',
      kind: 'token',
      ownerId: null,
      enabled: true,
      managedBy,
    })
    const connection = await tx.connections.insert({
      hostId: host.id,
      gatewayId: gateway.id,
      userId: null,
      enabled: true,
      managedBy,
    })
    await tx.tokens.insert({
      kind: 'access',
      label: NAME,
      hash: secret.hash,
      lastFour: secret.lastFour,
      connectionId: connection.id,
      userId: null,
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
      enabled: true,
      managedBy,
    })
    await tx.bumpEpoch()
  })
}

/** In one step: a reader never sees half a file. */
async function keep(home: string, quickstart: Quickstart): Promise<void> {
  await mkdir(home, { recursive: true })
  const aside = join(home, `${FILE}.new`)
  await writeFile(aside, JSON.stringify(quickstart), { mode: 0o600 })
  await rename(aside, join(home, FILE))
}

/** The documentation is served by this process: when its port moves, its address does. */
async function followAddress(store: Store, docsUrl: string): Promise<void> {
  const docs = await store.servers.byKey('docs')
  if (docs === null || docs.managedBy !== 'system' || docs.url === docsUrl) return
  await store.servers.update(docs.id, { url: docsUrl })
  await store.bumpEpoch()
}

/** What was seeded from this home, as long as its gateway and its token are still there. */
export async function readQuickstart(
  store: Store,
  home: string,
  hash: (secret: string) => string,
): Promise<Quickstart | null> {
  const text = await readFile(join(home, FILE), 'utf8').catch(() => null)
  const kept = text === null ? null : parsed(text)
  if (kept === null) return null
  const token = await store.tokens.byHash(hash(kept.token))
  const usable = token !== null && token.enabled && token.revokedAt === null
  return usable && (await store.gateways.byKey(kept.gateway)) !== null ? kept : null
}

/** What somebody else made of the file costs the banner its lines, not the gateway its start. */
function parsed(text: string): Quickstart | null {
  try {
    const { gateway, token } = JSON.parse(text) as Partial<Quickstart>
    return typeof gateway === 'string' && typeof token === 'string' ? { gateway, token } : null
  } catch {
    return null
  }
}
