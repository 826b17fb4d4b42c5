import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { UserRef } from '@gatehouse/sdk'
import Koa from 'koa'
import type { Checks } from '../configuration/work.js'
import type { Store } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import { createApi } from '../http/api/index.js'
import type { ApiOptions } from '../http/api/operation.js'
import type { Invitations } from '../identity/invitations.js'
import { mintSecret } from '../identity/tokens.js'
import type { AdminClient, AdminClients } from '../oauth/server/admin-clients.js'
import { configurationBench, fakeChecks } from './configuration.js'

const receipts = [
  { rule_name: 'Late', fell: 'open' },
  { rule_name: 'Strict', fell: 'closed' },
]
export const LOG_ROW = { log_id: 'c-1', correlation_id: 'c', log_type: 'proxy_request_success', body: null, receipts }

/** The real admin API on a store in memory, listening on loopback; `fakes` stands in for what only a gateway has. */
export async function apiBench({ checks = {} as Partial<Checks>, fakes = {} as Partial<ApiOptions> } = {}) {
  const bench = await configurationBench({ checks })
  const { store, mutations, files } = bench
  const asked: unknown[] = []
  const broken: unknown[] = []
  const options: ApiOptions = {
    ...{ store, mutations, files, version: '0.0.0-test', url: () => 'https://gate.example.com' },
    resolveAdmin: (hash) => resolveAdmin(store, hash),
    browser: { session: async () => null, saysOurs: () => false },
    sessions: { endOf: async () => 0 },
    invitations: fakeInvitations,
    setupLinks: { mint: async () => 'secret', endAll: async () => undefined },
    turnedAway: async () => undefined,
    logs: {
      logs: async (request) => (asked.push(request), { rows: [LOG_ROW as never], next: null }),
      follow: async (cursor) => ({ rows: cursor === null ? [] : [LOG_ROW as never], cursor: '7' }),
    },
    describeIdp: async () => ({ ok: false, failure: 'unavailable', reason: 'nobody is there' }),
    detect: async () => ({ detected: 'open', issuer: null, next: '' }),
    replays: {
      start: async () => '00000000-0000-4000-8000-000000000014',
      find: async () => null,
      cancel: async () => false,
      enginesOf: async () => ({ plugins: [], external: [] }),
    },
    receipts: {
      find: async () => null,
      isExternal: () => false,
      rerun: async () => Promise.reject(new Error('nothing is on record')),
    },
    exporterStatus: async () => null,
    preview: async (request) => (asked.push(request), { features: [], problem: null }),
    onDecided: async () => undefined,
    alerts: fakeAlerts,
    alertProgress: async () => NO_PROGRESS,
    testAlertTarget: async () => ({ kind: 'rejected', message: 'HTTP 404.', status: 404 }),
    rotateKeys: async () => ({ seen: 3, rotated: 2, current: 1, changed: 0, failed: 0, cursor: undefined }) as never,
    tryRule: async () => {
      throw new Error('no engines here')
    },
    engineKinds: { ...fakeChecks, ...checks }.engines,
    ruleWatch: { quarantineOf: () => null, flush: async () => undefined },
    plugins: () => ['auth-token'],
    oauth: { clients: fakeClients(), turnKeys: async () => undefined },
    onBroken: (thrown) => void broken.push(thrown),
    ...fakes,
  }
  const router = createApi(options)
  const app = new Koa()
  app.use(async (ctx, next) => {
    if (ctx.path === '/healthz') ctx.body = { status: 'ok' }
    else if (ctx.path === '/readyz') ctx.body = { status: 'ok', checks: { database: 'ok' } }
    else await next()
  })
  app.use(router.routes())
  const server = createServer(app.callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const admin = await tokenOf(store, ['*'])

  const request = async (
    method: string,
    path: string,
    { token = admin as string | null, body = undefined as unknown } = {},
  ) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    // oxlint-disable-next-line typescript/no-explicit-any
    return { status: response.status, headers: response.headers, text, json: (text ? JSON.parse(text) : null) as any }
  }
  return {
    ...bench,
    adminActor: bench.admin,
    ...{ url, admin, request, asked, broken, router },
    token: (capabilities: readonly string[]) => tokenOf(store, capabilities),
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  }
}

/** No alert was ever raised. */
const fakeAlerts: ApiOptions['alerts'] = {
  find: async () => null,
  page: async () => [],
  counts: async () => ({ open: { error: 0, warning: 0, info: 0 }, acknowledged: { error: 0, warning: 0, info: 0 } }),
  follow: async () => ({ items: [], cursor: '1.00000000-0000-0000-0000-000000000000' }),
  history: async () => [],
  setState: () => Promise.reject(new GatehouseError('GH_API_NOT_FOUND')),
  acknowledgeAll: async () => 0,
  forsaken: async () => [],
}
const NO_PROGRESS = {
  ...{ waiting: 0, waitingSince: null, delivered: 0 },
  ...{ lastSuccess: null, lastError: null, deadLetters: 0 },
}

/** Nobody has come, and every link is to be copied. */
const fakeInvitations: Invitations = {
  send: async ({ user }) => ({
    ...{ id: user.id, email: user.email, mailed: false, url: 'https://gate.example.com/auth/invite/x' },
    expiresAt: new Date(0).toISOString(),
  }),
  pending: async () => [],
  of: async () => null,
  take: async () => null,
  revoke: async () => undefined,
  hasCome: async () => false,
}

let count = 0
/** An admin token of a person of its own, whose role holds exactly these. */
async function tokenOf(store: Store, capabilities: readonly string[]): Promise<string> {
  const managedBy = 'api' as const
  const slug = `role-${++count}`
  await store.roles.insert({ slug, title: slug, capabilities, managedBy })
  const user = await store.users.insert({
    email: `${slug}@example.com`,
    name: '',
    role: slug,
    enabled: true,
    managedBy,
  })
  const { secret, hash, lastFour } = mintSecret('gpat_')
  await store.tokens.insert({
    ...{ kind: 'admin', label: slug, lastFour, hash, managedBy, connectionId: null, userId: user.id, enabled: true },
    ...{ expiresAt: null, revokedAt: null, lastUsedAt: null },
  })
  return secret
}

/** OAuth clients in memory. */
function fakeClients(): AdminClients {
  const made: AdminClient[] = []
  return {
    all: async () => made,
    find: async (id) => made.find(({ clientId }) => clientId === id) ?? null,
    async add(draft) {
      const client = { ...draft, clientId: `client_${made.length}`, createdAt: new Date().toISOString() }
      made.push(client)
      return { client, secret: draft.confidential ? 'secret' : null }
    },
    remove: async (id) =>
      void made.splice(
        made.findIndex(({ clientId }) => clientId === id),
        1,
      ),
  }
}

async function resolveAdmin(store: Store, hash: string): Promise<UserRef> {
  const token = await store.tokens.byHash(hash)
  const user = token?.userId ? await store.users.find(token.userId) : null
  if (!token || token.revokedAt !== null || token.kind !== 'admin' || !user)
    throw new GatehouseError('GH_AUTHENTICATE_INVALID')
  if (!user.enabled) throw new GatehouseError('GH_AUTHENTICATE_DISABLED')
  const role = await store.roles.byKey(user.role)
  const teams = (await store.teams.all()).filter((team) => team.enabled && team.memberIds.includes(user.id))
  const { id, email, name } = user
  const capabilities = new Set(role?.capabilities)
  return { id, email, name, role: user.role, teams: teams.map((team) => team.id), capabilities }
}
