import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '../domain/store.js'
import { mintSecret } from '../identity/tokens.js'

export interface Quickstart {
  readonly gateway: string
  readonly token: string
}

const FILE = 'quickstart.json'
const NAME = 'quickstart'

/**
 * On a database that has no gateway yet: the documentation server behind a gateway of its own, with a token for the
 * first client, so that the first call needs no account and no internet. The token is kept in the home for the banner.
 */
export async function seedQuickstart(store: Store, home: string, docsUrl: string): Promise<void> {
  await followAddress(store, docsUrl)
  if ((await store.gateways.all()).length > 0) return
  const secret = mintSecret('API_')
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
      enabled: true,
      teamIds: [],
      assignments: [],
      rules: [],
      managedBy,
    })
    await tx.gateways.setAssignments(gateway.id, [
      { serverId: server.id, as: null, scheme: { kind: 'open' }, enabled: true },
    ])
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
  await mkdir(home, { recursive: true })
  await writeFile(join(home, FILE), JSON.stringify({ gateway: NAME, token: secret.secret }), { mode: 0o600 })
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
  if (text === null) return null
  const kept = JSON.parse(text) as Quickstart
  const token = await store.tokens.byHash(hash(kept.token))
  const usable = token !== null && token.enabled && token.revokedAt === null
  return usable && (await store.gateways.byKey(kept.gateway)) !== null ? kept : null
}
