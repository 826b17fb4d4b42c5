import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Snapshot } from '../../domain/snapshot.js'
import { createArtifactRows } from '../../db/repositories/oauth-artifacts.js'
import { createClientRows } from '../../db/repositories/oauth-clients.js'
import { createGrantRows } from '../../db/repositories/oauth-grants.js'
import { createKeyRows } from '../../db/repositories/oauth-keys.js'
import { createConsoleSessionRows } from '../../db/repositories/console-sessions.js'
import { createOneTimeRows } from '../../db/repositories/one-time.js'
import { createStore } from '../../db/repositories/store.js'
import { fakeVault, gatewayDraft, migratedDatabase, userDraft } from '../../db/testing.js'
import { DEFAULT_SETTINGS } from '../../domain/nouns.js'
import { createConsoleSessions } from '../../identity/console-sessions.js'
import type { TrustedIssuers } from '../../identity/trusted-issuers.js'
import { createAdminClients } from './admin-clients.js'
import { createClientSource } from './client-source.js'
import type { RefusedRequest } from './happenings.js'
import { createAuthorizationServer } from './server.js'

/** The authorization server on a database of its own, with a person who reaches one gateway of two. */
export async function serverBench(issuers: TrustedIssuers) {
  const database = await migratedDatabase()
  const { manager } = database.dataSource
  const store = createStore({ dataSource: database.dataSource, vault: fakeVault })
  const user = await store.users.insert(userDraft('ann@example.com'))
  const team = await store.teams.insert({
    ...{ slug: 'eng', title: 'eng', enabled: true, memberIds: [user.id], managedBy: 'api' },
  })
  const own = await store.gateways.insert(gatewayDraft('own', { teamIds: [team.id] }))
  const foreign = await store.gateways.insert(gatewayDraft('foreign'))
  const gateways = new Map(
    [own, foreign].flatMap(
      (gateway) =>
        [
          [gateway.id, { gateway }],
          [gateway.slug, { gateway }],
        ] as const,
    ),
  )
  const snapshot = () => ({ gateways, settings: DEFAULT_SETTINGS }) as unknown as Snapshot
  const sessions = createConsoleSessions(createConsoleSessionRows(manager))
  const rows = createClientRows(manager, fakeVault)
  const grants = createGrantRows(manager)
  const onEnded = async () => undefined
  const refused: RefusedRequest[] = []
  let url = ''
  const server = createAuthorizationServer({
    ...{ url: () => url, snapshot, issuers, onEnded, grants, clientRows: rows },
    artifacts: createArtifactRows(manager, fakeVault),
    clients: createClientSource({ rows, epoch: () => 1 }),
    keyring: { rows: createKeyRows(manager, fakeVault), lock: (work) => work() },
    reuse: () => DEFAULT_SETTINGS.refreshReuse,
    signedIn: async () => null,
    exists: async (id) => (await store.users.find(id)) !== null,
    person: sessions.person,
    first: (hash, expiresAt) => createOneTimeRows(manager, fakeVault).first('id-jag', hash, expiresAt),
    documents: { mostBytes: 1, allows: () => false, fetch: () => Promise.reject(new Error('no')) },
    renderError: () => undefined,
    happenings: {
      refused: (one) => void refused.push(one),
      reused: () => undefined,
      broken: (thrown) => console.error(thrown),
    },
  })
  const http = createServer((req, res) => void server.handle(req, res))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  return {
    ...{ url, store, user, own, foreign, refused, server },
    clients: createAdminClients({ rows, grants, schemes: () => [], onEnded }),
    holderOf: store.tokens.holderOf,
    async stop() {
      await new Promise((resolve) => (http.closeAllConnections(), http.close(resolve)))
      await database.drop()
    },
  }
}
