import { randomUUID } from 'node:crypto'
import type { Settings, Stored } from '../domain/nouns.js'
import { DEFAULT_SETTINGS } from '../domain/nouns.js'
import type { StoredArtifact } from '../domain/artifacts.js'
import type {
  ArtifactRepository,
  ConnectionRepository,
  Draft,
  EngineRepository,
  GatewayRepository,
  IdentityRepository,
  HostRepository,
  IdpLink,
  IdpLinkRepository,
  Paged,
  Patch,
  Repository,
  Slice,
  Store,
  TokenRepository,
  UserRepository,
  VersionDraft,
} from '../domain/store.js'
import type {
  AlertTarget,
  Assignment,
  Connection,
  Engine,
  Exporter,
  Gateway,
  Host,
  Identity,
  Role,
  Rule,
} from '../domain/nouns.js'
import type { Idp, Server, Team, Token, User } from '../domain/nouns.js'
import type { Grant, GrantDraft, GrantRepository, UpstreamClientRepository } from '../domain/store.js'
import { quarantineKey } from '../domain/rule-watch.js'
import type { QuarantineRepository, StoredQuarantine } from '../domain/rule-watch.js'
import { GatehouseError } from '../errors.js'

interface State {
  links: Map<string, IdpLink>
  rows: Record<string, Map<string, Stored>>
  hashes: Map<string, string>
  secrets: Map<string, string>
  grants: Map<string, Grant & { leased: boolean }>
  clients: Map<string, string>
  versions: Map<string, VersionDraft & { at: string }>
  settings: Settings
  quarantines: Map<string, StoredQuarantine>
  epoch: number
}

/** A store without a database, for tests: transactions are taken back as a whole, one at a time. */
export function createMemoryStore(): Store {
  const cell: { state: State } = {
    state: {
      links: new Map(),
      rows: {},
      hashes: new Map(),
      secrets: new Map(),
      grants: new Map(),
      clients: new Map(),
      versions: new Map(),
      settings: DEFAULT_SETTINGS,
      quarantines: new Map(),
      epoch: 0,
    },
  }
  const store: Store = {
    servers: repository<Server>(cell, 'servers', (row) => row.slug),
    gateways: gatewayRepository(cell),
    identities: identityRepository(cell),
    teams: repository<Team>(cell, 'teams', (row) => row.slug),
    users: userRepository(cell),
    roles: repository<Role>(cell, 'roles', (row) => row.slug),
    hosts: hostRepository(cell),
    connections: connectionRepository(cell),
    tokens: tokenRepository(cell),
    exporters: repository<Exporter>(cell, 'exporters', (row) => row.slug),
    alertTargets: repository<AlertTarget>(cell, 'alertTargets', (row) => row.slug),
    engines: engineRepository(cell),
    artifacts: artifactRepository(cell),
    idps: repository<Idp>(cell, 'idps', (row) => row.slug),
    idpLinks: idpLinkRepository(cell),
    secrets: secretRepository(cell),
    grants: memoryGrants(cell),
    upstreamClients: memoryClients(cell),
    names: {
      of: async () => [],
      claim: notKept,
    },
    lists: { load: notKept, save: notKept, seen: async () => [] },
    infos: { load: notKept, save: notKept },
    features: {
      of: async () => ({ version: 0, approvals: [], baselines: [] }),
      versions: async () => new Map(),
      record: notKept,
      suspect: notKept,
      find: async () => null,
      ofAssignment: async () => [],
      history: async () => [],
      decide: notKept,
    },
    quarantines: memoryQuarantines(cell),
    ruleStats: { add: async () => undefined, of: async () => [], forget: async () => undefined },
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

function repository<N extends Stored>(
  cell: { state: State },
  table: string,
  keyOf: (row: N) => string,
): Repository<N> & Paged<N> {
  const rows = () => (cell.state.rows[table] ??= new Map()) as Map<string, Stored> as unknown as Map<string, N>
  const byKey = async (key: string) => [...rows().values()].find((row) => keyOf(row) === key) ?? null
  return {
    all: async () => [...rows().values()],
    page: async (slice, where = {}) => sliceOf([...rows().values()].filter(fits(where)), slice),
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

function engineRepository(cell: { state: State }): EngineRepository {
  const plain = repository<Engine>(cell, 'engines', (row) => row.slug)
  const note = async (id: string, lastTest: Engine['lastTest']) => {
    const row = await plain.find(id)
    if (row) cell.state.rows['engines']?.set(id, { ...row, lastTest } as Stored)
  }
  return { ...plain, noteTest: note }
}

function artifactRepository(cell: { state: State }): ArtifactRepository {
  const all = () => [...cell.state.versions.values()]
  const one = (id: string, version: number) => {
    const found = cell.state.versions.get(`${id}@${version}`)
    if (!found) throw missing()
    return found
  }
  const seen = ({
    artifactId,
    version,
    sha256,
    manifestSha256,
    size,
    signature,
    uploadedBy,
    at,
  }: VersionDraft & { at: string }) => {
    return { artifactId, version, sha256, manifestSha256, size, signature, uploadedBy, at }
  }
  return {
    ...repository<StoredArtifact>(cell, 'artifacts', (row) => row.slug),
    versions: async (id) =>
      all()
        .filter(({ artifactId }) => id === undefined || artifactId === id)
        .map(seen),
    content: async (id, version) => one(id, version),
    bytes: async (id, version) => one(id, version).bytes,
    same: async (id, { sha256, manifestSha256 }) => {
      const isSame = (row: VersionDraft) => row.sha256 === sha256 && row.manifestSha256 === manifestSha256
      const found = all().find((row) => row.artifactId === id && isSame(row))
      return found === undefined ? null : seen(found)
    },
    async addVersion(draft) {
      const row = { ...draft, at: new Date().toISOString() }
      cell.state.versions.set(`${draft.artifactId}@${draft.version}`, row)
      return seen(row)
    },
    async sign(id, version, signature) {
      cell.state.versions.set(`${id}@${version}`, { ...one(id, version), signature })
    },
    removeVersion: async (id, version) => void cell.state.versions.delete(`${id}@${version}`),
  }
}

const fits =
  (where: object) =>
  (row: object): boolean =>
    Object.entries(where).every(
      ([key, value]) => value === undefined || (row as Record<string, unknown>)[key] === value,
    )

function sliceOf<T extends { readonly id: string }>(rows: readonly T[], { limit, after }: Slice): readonly T[] {
  const last = rows.findIndex(({ id }) => id === after)
  if (after !== null && last === -1) throw new GatehouseError('GH_API_INVALID', { data: { field: 'cursor' } })
  return rows.slice(last + 1, last + 1 + limit)
}

function hostRepository(cell: { state: State }): HostRepository {
  const plain = repository<Host>(cell, 'hosts', (row) => row.slug)
  const connections = repository<Connection>(cell, 'connections', linkOf)
  return {
    ...plain,
    async pageSeen(slice, where = {}) {
      const all = await connections.all()
      const seen = (await plain.all()).filter(fits(where)).map((host) => {
        const own = all.filter(({ hostId }) => hostId === host.id)
        const lastUsedAt = own.map((one) => one.lastUsedAt).toSorted().at(-1) ?? null // prettier-ignore
        return { ...host, connections: own.length, lastUsedAt }
      })
      return sliceOf(seen, slice)
    },
  }
}

const linkOf = ({ hostId, gatewayId, userId }: Connection) => `${hostId}/${gatewayId}/${userId ?? ''}`

function connectionRepository(cell: { state: State }): ConnectionRepository {
  const { all, insert, page: _page, ...plain } = repository<Connection>(cell, 'connections', linkOf)
  const tokens = repository<Token>(cell, 'tokens', (row) => row.id)
  const nameIn = (table: string, id: string | null, key: string) =>
    ((id === null ? undefined : cell.state.rows[table]?.get(id)) as Record<string, unknown> | undefined)?.[key]
  return {
    ...plain,
    all,
    insert: (draft) => insert({ ...draft, lastUsedAt: null }),
    async pageSeen(slice, where) {
      const seen = (await all()).filter(fits(where)).map((one) => ({
        ...one,
        host: nameIn('hosts', one.hostId, 'slug') as string,
        gateway: nameIn('gateways', one.gatewayId, 'slug') as string,
        user: (nameIn('users', one.userId, 'email') ?? null) as string | null,
      }))
      return sliceOf(seen, slice)
    },
    async removeOf(where) {
      for (const { id } of (await all()).filter(fits(where))) {
        for (const token of await tokens.all()) if (token.connectionId === id) await tokens.remove(token.id)
        await plain.remove(id)
      }
    },
    async touch(ids, at) {
      for (const id of ids) await plain.update(id, { lastUsedAt: at.toISOString() })
    },
  }
}

/** What the database does by itself: with a person goes what is theirs. */
function userRepository(cell: { state: State }): UserRepository {
  const plain = repository<User>(cell, 'users', (row) => row.email)
  const rowsOf = <N extends Stored>(table: string) => [...(cell.state.rows[table]?.values() ?? [])] as unknown as N[]
  const drop = (table: string, gone: readonly Stored[]) => gone.forEach(({ id }) => cell.state.rows[table]?.delete(id))
  return {
    ...plain,
    many: async (given) => (await plain.all()).filter(({ id, email }) => given.includes(id) || given.includes(email)),
    inRole: async (slug) => (await plain.all()).filter(({ role }) => role === slug),
    async remove(id) {
      const connections = rowsOf<Connection>('connections').filter(({ userId }) => userId === id)
      const ids = new Set(connections.map((connection) => connection.id))
      const isTheirs = ({ userId, connectionId }: Token) => userId === id || ids.has(connectionId ?? '')
      drop('tokens', rowsOf<Token>('tokens').filter(isTheirs))
      drop('connections', connections)
      drop(
        'identities',
        rowsOf<Identity>('identities').filter((one) => one.ownerId === id && !one.shared),
      )
      for (const team of rowsOf<Team>('teams'))
        cell.state.rows['teams']?.set(team.id, {
          ...team,
          memberIds: team.memberIds.filter((member) => member !== id),
        } as Stored)
      await plain.remove(id)
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
    async remove(serverId, issuer) {
      for (const key of [...cell.state.clients.keys()])
        if (key.startsWith(`${serverId} ${issuer ?? ''}`)) cell.state.clients.delete(key)
    },
  }
}

function memoryQuarantines(cell: { state: State }): QuarantineRepository {
  return {
    all: async () => [...cell.state.quarantines.values()],
    async put(quarantine) {
      const key = quarantineKey(quarantine)
      if (cell.state.quarantines.has(key)) return false
      cell.state.quarantines.set(key, quarantine)
      return true
    },
    async release(ruleId) {
      const keys = [...cell.state.quarantines].filter(([, one]) => one.ruleId === ruleId).map(([key]) => key)
      for (const key of keys) cell.state.quarantines.delete(key)
      return keys.length
    },
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
      const assignments = drafts.map(
        ({ id = randomUUID(), serverId, as, scheme, provisioning, enabled }, position): Assignment => {
          return { id, gatewayId, serverId, as, scheme, provisioning, enabled, position }
        },
      )
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
  const { insert, all, page: _page, ...plain } = repository<Token>(cell, 'tokens', (row) => row.id)
  return {
    ...plain,
    all,
    async insert({ hash, ...draft }) {
      const token = await insert(draft)
      cell.state.hashes.set(hash, token.id)
      return token
    },
    byHash: async (hash) => plain.find(cell.state.hashes.get(hash) ?? ''),
    holderOf: notKept,
    async pageVisible(slice, { access, adminOf, ...where }) {
      const isVisible = ({ kind, userId }: Token) =>
        kind === 'access' ? access : adminOf === null || userId === adminOf
      const users = cell.state.rows['users'] as unknown as Map<string, User> | undefined
      const seen = (await all()).filter((row) => isVisible(row) && fits(where)(row))
      return sliceOf(
        seen.map((row) => ({ ...row, user: users?.get(row.userId ?? '')?.email ?? null })),
        slice,
      )
    },
    async removeOf(where) {
      for (const { id } of (await all()).filter(fits(where))) await plain.remove(id)
    },
    async touch(ids, at) {
      for (const id of ids) await plain.update(id, { lastUsedAt: at.toISOString() })
    },
  }
}

function idpLinkRepository(cell: { state: State }): IdpLinkRepository {
  const teams = () => [...(cell.state.rows['teams']?.values() ?? [])] as Team[]
  const users = () => [...(cell.state.rows['users']?.values() ?? [])] as User[]
  const links = () => [...cell.state.links.values()]
  const set = (team: Team, memberIds: readonly string[]) =>
    void cell.state.rows['teams']?.set(team.id, { ...team, memberIds } as Stored)
  return {
    find: async (issuer, subject) => cell.state.links.get(`${issuer} ${subject}`) ?? null,
    async put(link) {
      const key = `${link.issuer} ${link.subject}`
      if (cell.state.links.has(key)) throw new GatehouseError('GH_API_CONFLICT')
      cell.state.links.set(key, link)
    },
    isTied: async (userId, issuer) => links().some((link) => link.userId === userId && link.issuer === issuer),
    async untie(userId, idpId) {
      const mine = [...cell.state.links].filter(([, link]) => link.userId === userId && link.idpId === idpId)
      for (const [key] of mine) cell.state.links.delete(key)
      return mine.length > 0
    },
    used: async () => undefined,
    reach: async (idpId, domains) =>
      users().flatMap(({ id, email, role }) => {
        const linked = links().some((link) => link.userId === id && link.idpId === idpId)
        return linked || domains.includes(email.split('@')[1] ?? '') ? [{ role, linked }] : []
      }),
    endSessions: async () => 0,
    teamsOf: async (userId) => teams().flatMap((team) => (team.memberIds.includes(userId) ? [team.slug] : [])),
    async join(userId, slugs) {
      for (const team of teams()) if (slugs.includes(team.slug)) set(team, [...new Set([...team.memberIds, userId])])
    },
    async leave(userId, slugs) {
      for (const team of teams())
        if (slugs.includes(team.slug))
          set(
            team,
            team.memberIds.filter((id) => id !== userId),
          )
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
