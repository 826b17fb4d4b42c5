import { Pool } from 'undici'
import { serverDraft } from '../../db/testing.js'
import { DEFAULT_LIMITS } from '../../domain/nouns.js'
import type { Identity } from '../../domain/nouns.js'
import { GatehouseError } from '../../errors.js'
import { createGrants } from '../../oauth/client/grants.js'
import { createSignIn } from '../../oauth/client/sign-in.js'
import type { StoredTrip } from '../../oauth/client/sign-in.js'
import { unionOf, writeTokens } from '../../oauth/client/tokens.js'
import { NO_ABILITY } from '../../upstream/ability.js'
import { createProbe } from '../../upstream/probe.js'
import type { Target } from '../../upstream/types.js'
import { createUpstreams } from '../../upstream/upstreams.js'
import { createMemoryStore } from '../memory-store.js'
import { stranger } from './person.js'

/**
 * Our own way to a server with a sign-in, without a gateway around it, as the client that the conformance suite starts: the
 * server's URL is its last argument, what an administrator would have entered comes in MCP_CONFORMANCE_CONTEXT.
 */
const url = process.argv.at(-1) ?? ''
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Record<string, string | undefined>
const base = 'https://gate.acme.com'
const MOST_SIGN_INS = 5

const pools = new Map<string, Pool>()
const egress = {
  pool(origin: string) {
    const pool = pools.get(origin) ?? new Pool(origin)
    pools.set(origin, pool)
    return pool
  },
}
const store = createMemoryStore()
const clientInfo = { name: 'gatehouse', version: '0' }
const limits = () => DEFAULT_LIMITS
const { client_id: clientId = null, client_secret: secret } = context
const oauth = clientId === null ? null : { clientId, issuer: null, scope: null, assertion: false }
const server = await store.servers.insert({ ...serverDraft('suite'), url, auth: 'oauth', oauth })
if (secret !== undefined) await store.secrets.put({ kind: 'server', id: server.id }, 'oauth.clientSecret', secret)
let identity: Identity | null = null

const probe = createProbe({ egress, limits, clientInfo })
const trips: StoredTrip[] = []
const signIn = createSignIn({
  store,
  trips: { put: async (_, { payload }) => void trips.push(payload) },
  challengeOf: async (at) => {
    const probed = await probe(at)
    return probed.kind === 'refused' ? probed.challenge : null
  },
  fetch,
  base: () => base,
  onFault: (_, fault) => console.error(fault.message, fault.detail),
})
const grants = createGrants({
  grants: store.grants,
  fetch,
  clientOf: async (_, stored) => stored,
  onEnd: async () => undefined,
})
const upstreams = createUpstreams({ egress, limits, clientInfo, childEnv: null })

async function authorise(): Promise<void> {
  const before = identity === null ? null : await store.grants.find(identity.id)
  const wanted = before?.wantedScope ? unionOf(before.scope, before.wantedScope) : null
  const trip = { server, identityId: null, userId: 'u', sessionHash: 's', returnTo: '/', wanted }
  const back = new URL(await stranger().follow(await signIn.begin(trip), `${base}/`))
  const { tokens, ...rest } = await signIn.finish(trips.at(-1) as StoredTrip, server, {
    code: back.searchParams.get('code') ?? '',
    iss: back.searchParams.get('iss') ?? undefined,
  })
  const draft = { managedBy: 'api', slug: 'i', serverId: server.id, shared: true, ownerId: null } as const
  identity ??= await store.identities.insert({ ...draft, kind: 'oauth', headers: [], enabled: true, status: 'ok' })
  identity = await store.identities.update(identity.id, { status: 'ok' })
  const grant = { ...rest, clientId: tokens.client.client_id, tokens: writeTokens(tokens) }
  await store.grants.put({ ...grant, identityId: identity.id })
}

function target(): Target {
  const bearer = identity === null ? {} : { bearer: grants.bearer(identity) }
  return {
    server,
    key: identity?.id ?? 'public',
    ability: NO_ABILITY,
    secrets: async () => ({ headers: {}, env: {} }),
    ...bearer,
  }
}

/** As a person would who is sent to the sign-in whenever a call says so. */
async function call(method: string, params: object): Promise<void> {
  for (let signIns = 0; ; signIns++) {
    try {
      const reply = await upstreams.request(target(), { method, params: { ...params }, deadline: Date.now() + 10_000 })
      if (reply.error !== null) throw new Error(reply.error.message)
      return
    } catch (error) {
      const code = error instanceof GatehouseError ? error.code : ''
      const isRefused = code === 'GH_UPSTREAM_AUTH' && (error as GatehouseError).data?.['httpStatus'] === 401
      if ((code !== 'GH_FORWARD_CONNECT' && !isRefused) || signIns === MOST_SIGN_INS) throw error
      await authorise()
      // What was refused before says nothing of what was given now.
      upstreams.replace(server.id)
    }
  }
}

try {
  await call('tools/list', {})
  await call('tools/call', { name: 'test-tool', arguments: {} })
} catch (error) {
  console.error(String(error))
  process.exitCode = 1
}
await upstreams.stop()
for (const pool of pools.values()) await pool.destroy()
