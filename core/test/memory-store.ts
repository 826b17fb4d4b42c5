import { randomUUID } from 'node:crypto'
import type { Settings, Stored } from '../domain/nouns.js'
import { DEFAULT_SETTINGS } from '../domain/nouns.js'
import type {
  Draft,
  GatewayRepository,
  IdentityRepository,
  Patch,
  Repository,
  Store,
  TokenRepository,
} from '../domain/store.js'
import type { Assignment, Connection, Exporter, Gateway, Host, Identity, Role, Rule } from '../domain/nouns.js'
import type { Server, Team, Token, User } from '../domain/nouns.js'
import type { Grant, GrantDraft, GrantRepository, UpstreamClientRepository } from '../domain/store.js'
import { GatehouseError } from '../errors.js'

interface State {
  rows: Record<string, Map<string, Stored>>
  hashes: Map<string, string>
  secrets: Map<string, string>
  grants: Map<string, Grant & { leased: boolean }>
  clients: Map<string, string>
  settings: Settings
  epoch: number
}

/** A store without a database, for tests: transactions are taken back as a whole, one at a time. */
export function createMemoryStore(): Store {
  const cell: { state: State } = {
    state: { rows: {}, hashes: new Map(), secrets: new Map(), grants: new Map(), clients: new Map(), settings: DEFAULT_SETTINGS, epoch: 0 },
  }
  const store: Store = {
    servers: repository<Server>(cell, 'servers', (row) => row.slug),
    gateways: gatewayRepository(cell),
    identities: identityRepository(cell),
    teams: repository<Team>(cell, 'teams', (row) => row.slug),
    users: repository<User>(cell, 'users', (row) => row.email),
    roles: repository<Role>(cell, 'roles', (row) => row.slug),
    hosts: repository<Host>(cell, 'hosts', (row) => row.slug),
    connections: repository<Connection>(cell, 'connections', (row) => row.id),
    tokens: tokenRepository(cell),
    exporters: repository<Exporter>(cell, 'exporters', (row) => row.slug),
    secrets: secretRepository(cell),
    grants: memoryGrants(cell),
    upstreamClients: memoryClients(cell),
    names: {
      of: async () => [],
      claim: notKept,
    },
    lists: { load: notKept, save: notKept },
    infos: { load: notKept, save: notKept },
    settings: {
      get: async () => cell.state.settings,
      set: async (settings) => void (cell.state.settings = settings),
    },
    async transaction(work) {
      const before = structuredClone(cell.state)
      try {
        return await work(store)
      } catch (error) {
        cell.state = before
        throw error
      }
    },
    bumpEpoch: async () => ++cell.state.epoch,
    epoch: async () => cell.state.epoch,
  }
  return store
}

function repository<N extends Stored>(cell: { state: State }, table: string, keyOf: (row: N) => string): Repository<N> {
  const rows = () => (cell.state.rows[table] ??= new Map()) as Map<string, Stored> as unknown as Map<string, N>
  const byKey = async (key: string) => [...rows().values()].find((row) => keyOf(row) === key) ?? null
  return {
    all: async () => [...rows().values()],
    find: async (id) => rows().get(id) ?? null,
    byKey,
    async insert(draft: Draft<N>) {
      const now = new Date().toISOString()
      const row = { ...draft, id: draft.id ?? randomUUID(), createdAt: now, updatedAt: now } as unknown as N
      if (await byKey(keyOf(row))) throw new GatehouseError('GH_API_CONFLICT', { message: `${keyOf(row)} is taken` })
      rows().set(row.id, row)
      return row
    },
    async update(id: string, patch: Patch<N>) {
      const row = rows().get(id)
      if (!row) throw missing()
      const next = { ...row, ...patch, updatedAt: new Date().toISOString() } as N
      rows().set(id, next)
      return next
    },
    async remove(id) {
      if (!rows().delete(id)) throw missing()
    },
  }
}

function memoryGrants(cell: { state: State }): GrantRepository {
  const at = (id: string) => cell.state.grants.get(id)
  const write = (id: string, change: Partial<Grant & { leased: boolean }>) => {
    const stored = at(id)
    if (stored) cell.state.grants.set(id, { ...stored, ...change })
  }
  const fresh = (version: number) => ({ version, obtainedAt: Date.now(), lastError: null, leased: false })
  return {
    find: async (id) => at(id) ?? null,
    async put(draft: GrantDraft) {
      const before = at(draft.identityId) ?? { version: 0, wantedScope: null, stepUps: 0 }
      const isTried = before.wantedScope !== null
      cell.state.grants.set(draft.identityId, { ...before, ...draft, ...fresh(before.version + 1), isTried })
    },
    remove: async (id) => void cell.state.grants.delete(id),
    async lease(id, version) {
      const stored = at(id)
      if (stored?.version !== version || stored.leased) return false
      write(id, { leased: true })
      return true
    },
    async renew(version, draft) {
      if (at(draft.identityId)?.version !== version) return false
      write(draft.identityId, { ...draft, ...fresh(version + 1) })
      return true
    },
    async release(id, version, lastError) {
      if (at(id)?.version === version) write(id, { leased: false, lastError })
    },
    want: async (id, wantedScope, stepUps) => write(id, { wantedScope, stepUps, isTried: false }),
    ofClient: async (_, issuer, clientId) =>
      [...cell.state.grants.values()]
        .filter((grant) => grant.issuer === issuer && grant.clientId === clientId)
        .map(({ identityId }) => identityId),
  }
}

function memoryClients(cell: { state: State }): UpstreamClientRepository {
  return {
    find: async (serverId, issuer) => cell.state.clients.get(`${serverId} ${issuer}`) ?? null,
    put: async (serverId, issuer, text) => void cell.state.clients.set(`${serverId} ${issuer}`, text),
    remove: async (serverId, issuer) => void cell.state.clients.delete(`${serverId} ${issuer}`),
  }
}

function identityRepository(cell: { state: State }): IdentityRepository {
  const plain = repository<Identity>(cell, 'identities', (row) => row.slug)
  const where = async (fits: (row: Identity) => boolean) => (await plain.all()).filter(fits)
  return {
    ...plain,
    shared: () => where((row) => row.shared),
    ofUser: (userId) => where((row) => !row.shared && row.ownerId === userId),
    ofServer: (serverId) => where((row) => row.serverId === serverId),
  }
}

function gatewayRepository(cell: { state: State }): GatewayRepository {
  const plain = repository<Gateway>(cell, 'gateways', (row) => row.slug)
  const gateway = async (id: string) => {
    const found = await plain.find(id)
    if (!found) throw new GatehouseError('GH_API_NOT_FOUND')
    return found
  }
  return {
    ...plain,
    async setAssignments(gatewayId, drafts) {
      const assignments = drafts.map(({ id = randomUUID(), serverId, as, scheme, enabled }, position): Assignment => {
        return { id, gatewayId, serverId, as, scheme, enabled, position }
      })
      await plain.update((await gateway(gatewayId)).id, { assignments })
    },
    async setRules(gatewayId, drafts) {
      const before = (await gateway(gatewayId)).rules
      const rules = drafts.map((draft, position): Rule => ruleOf(draft, position, gatewayId, before))
      await plain.update(gatewayId, { rules })
    },
  }
}

function ruleOf(
  draft: Parameters<GatewayRepository['setRules']>[1][number],
  position: number,
  gatewayId: string,
  before: readonly Rule[],
): Rule {
  const old = before.find((rule) => rule.id === draft.id)
  const { id = randomUUID(), managedBy, name, engine, hook, action, onFailure, alerts, enabled, shadow } = draft
  const { servers, features, config } = draft
  const fields = {
    managedBy,
    name,
    engine,
    hook,
    action,
    onFailure,
    alerts,
    enabled,
    shadow,
    servers,
    features,
    config,
  }
  const isSame =
    old !== undefined && Object.entries(fields).every(([key, value]) => same(value, old[key as keyof Rule]))
  const now = new Date().toISOString()
  const version = old === undefined ? 1 : old.version + (isSame ? 0 : 1)
  return { id, gatewayId, position, version, ...fields, createdAt: old?.createdAt ?? now, updatedAt: now }
}

const notKept = async () => {
  throw new Error('this is not kept here')
}
const missing = () => new GatehouseError('GH_API_NOT_FOUND')
const prefixOf = (owner: { kind: string; id: string }) => `${owner.kind} ${owner.id} `
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

function tokenRepository(cell: { state: State }): TokenRepository {
  const { insert, ...plain } = repository<Token>(cell, 'tokens', (row) => row.id)
  return {
    ...plain,
    async insert({ hash, ...draft }) {
      const token = await insert(draft)
      cell.state.hashes.set(hash, token.id)
      return token
    },
    byHash: async (hash) => plain.find(cell.state.hashes.get(hash) ?? ''),
    holderOf: notKept,
    async touch(ids, at) {
      for (const id of ids) await plain.update(id, { lastUsedAt: at.toISOString() })
    },
  }
}

function secretRepository(cell: { state: State }): Store['secrets'] {
  return {
    put: async (owner, field, plain) => void cell.state.secrets.set(prefixOf(owner) + field, plain),
    get: async (owner, field) => cell.state.secrets.get(prefixOf(owner) + field) ?? null,
    async fields(owner) {
      const prefix = prefixOf(owner)
      const mine = [...cell.state.secrets].filter(([key]) => key.startsWith(prefix))
      return Object.fromEntries(mine.map(([key, value]) => [key.slice(prefix.length), value]))
    },
    async remove(owner, field) {
      const prefix = prefixOf(owner)
      for (const key of cell.state.secrets.keys())
        if (field === undefined ? key.startsWith(prefix) : key === prefix + field) cell.state.secrets.delete(key)
    },
  }
}
