import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import type { Server } from '../../domain/nouns.js'
import { GatehouseError } from '../../errors.js'
import { invalid } from '../problems.js'
import type { Server as ServerSchema } from '../schemas.js'
import { keepSecrets, readSecrets } from '../secrets.js'
import type { Values } from '../secrets.js'
import { conflict, forField, given, managerAfter, mustBeFree, mustBeMine, mustExist, mustHold } from '../work.js'
import type { Work } from '../work.js'

export type ServerInput = z.output<typeof ServerSchema>

/** A null takes away. */
export type ServerPatch = { readonly [K in keyof ServerState]?: ServerState[K] | undefined }

/** A server as the file says it, every key filled in. */
export interface ServerState {
  readonly title: string
  readonly url: string | null
  readonly command: readonly string[] | null
  readonly cwd: string | null
  readonly env: Values
  readonly auth: 'none' | 'oauth' | { readonly headers: Values | readonly string[] } | { readonly oauth: OauthClient }
  readonly protocol: Server['protocol']
  readonly enabled: boolean
}

export interface OauthClient {
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  readonly issuer?: string | undefined
  readonly assertion?: boolean | undefined
  readonly scope?: string | undefined
}

export function serverDefaults(slug: string): ServerState {
  return {
    title: slug,
    url: null,
    command: null,
    cwd: null,
    env: {},
    auth: 'none',
    protocol: 'auto',
    enabled: true,
  }
}

export async function createServer(work: Work, slug: string, input: ServerInput): Promise<Server> {
  await mustBeFree(work.store.servers, 'server', slug)
  const state = { ...serverDefaults(slug), ...given(input) }
  checkShape(state)
  await checkTarget(work, state)
  const { managedBy } = work.actor
  const server = await work.store.servers.insert({ slug, ...columns(state), managedBy })
  await keep(work, server, state)
  return server
}

/** `input` changes what it names; headers and variables are replaced whole. */
export async function updateServer(work: Work, reference: string, input: ServerPatch): Promise<Server> {
  const stored = await mustExist(work.store.servers, 'server', reference)
  mustBeMine(work, 'server', stored.slug, stored)
  const before = await serverState(work, stored)
  const state = { ...before, ...withOtherTarget(input), ...given(input) }
  checkShape(state)
  if (!sameTarget(before, state)) {
    await checkTarget(work, state)
    await checkSecretsStay(work, stored, before, input)
  }
  const server = await work.store.servers.update(stored.id, { ...columns(state), ...managerAfter(work, stored) })
  await keep(work, server, state)
  // Whoever says anew how we authenticate wants us registered anew, too: a sign-in may have forgotten us.
  if (input.auth !== undefined) await work.store.upstreamClients.remove(server.id)
  return server
}

export async function removeServer(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.servers, 'server', reference)
  mustBeMine(work, 'server', stored.slug, stored)
  const users = (await work.store.gateways.all()).filter(({ assignments }) =>
    assignments.some(({ serverId }) => serverId === stored.id),
  )
  if (users.length > 0) throw inUse(stored.slug, 'gateways', users)
  const identities = await work.store.identities.ofServer(stored.id)
  if (identities.length > 0) throw inUse(stored.slug, 'identities', identities)
  await work.store.secrets.remove({ kind: 'server', id: stored.id })
  await work.store.servers.remove(stored.id)
}

/** With its secrets: never to be shown. */
export async function serverState({ store }: Pick<Work, 'store'>, server: Server): Promise<ServerState> {
  const owner = { kind: 'server', id: server.id } as const
  const { title, url, command, cwd, protocol, enabled } = server
  const auth = await authState(store, server)
  return { title, url, command, cwd, env: await readSecrets(store, owner, 'env'), auth, protocol, enabled }
}

async function authState(store: Work['store'], server: Server): Promise<ServerState['auth']> {
  const owner = { kind: 'server', id: server.id } as const
  if (server.auth === 'headers') {
    const values = await readSecrets(store, owner, 'headers')
    return { headers: Object.keys(values).length === 0 ? server.headers : values }
  }
  if (server.auth === 'none' || server.oauth === null) return server.auth
  const named = Object.entries(server.oauth).filter(([, value]) => value !== null && value !== false)
  return { oauth: { ...(Object.fromEntries(named) as Values), ...(await readSecrets(store, owner, 'oauth')) } }
}

type Auth = {
  readonly kind: Server['auth']
  readonly headers: Values | readonly string[]
  readonly client: OauthClient
}

function read(auth: ServerState['auth']): Auth {
  if (typeof auth === 'string') return { kind: auth, headers: {}, client: {} }
  if ('headers' in auth) return { kind: 'headers', headers: auth.headers, client: {} }
  return { kind: 'oauth', headers: {}, client: auth.oauth }
}

const isNames = (headers: Auth['headers']): headers is readonly string[] => Array.isArray(headers)

function columns({ env, auth, ...plain }: ServerState) {
  const { kind, headers, client } = read(auth)
  const { clientId = null, issuer = null, scope = null, assertion = false } = client
  const isPlain = clientId === null && issuer === null && scope === null && !assertion
  return {
    ...plain,
    env: Object.keys(env),
    auth: kind,
    headers: isNames(headers) ? headers : Object.keys(headers),
    oauth: isPlain ? null : { clientId, issuer, scope, assertion },
  }
}

async function keep(work: Work, server: Server, state: ServerState): Promise<void> {
  const owner = { kind: 'server', id: server.id } as const
  const { headers, client } = read(state.auth)
  const { clientSecret } = client
  await keepSecrets(work.store, owner, 'env', state.env)
  await keepSecrets(work.store, owner, 'headers', isNames(headers) ? {} : headers)
  await keepSecrets(work.store, owner, 'oauth', clientSecret === undefined ? {} : { clientSecret })
}

/** Naming a URL for what was a command, or the other way round, drops what only the other kind has. */
function withOtherTarget(input: ServerPatch): Partial<ServerState> {
  if (typeof input.url === 'string' && input.command === undefined) return { command: null, cwd: null, env: {} }
  if (input.command && input.url === undefined) return { url: null, auth: 'none' }
  return {}
}

function checkShape(state: ServerState): void {
  if (state.url === null && state.command === null) throw invalid('', 'one of url and command is needed')
  if (state.url !== null && state.command !== null)
    throw invalid('command', 'a server has a url or a command, not both')
  if (state.command === null && state.cwd !== null) throw invalid('cwd', 'belongs to a command')
  if (state.command === null && Object.keys(state.env).length > 0) throw invalid('env', 'belongs to a command')
  if (state.url === null && state.auth !== 'none') throw invalid('auth', 'belongs to a url; use env for a command')
  if (state.command !== null && state.protocol === 'sse') throw invalid('protocol', 'sse belongs to a url')
}

async function checkTarget(work: Work, state: ServerState): Promise<void> {
  const { actor, checks } = work
  const { url } = state
  if (url !== null) await forField('url', () => checks.checkUrl(url))
  if (state.command === null) return
  mustHold(work, 'deployNewServerInstances')
  if (!actor.isOperator && !checks.stdio)
    throw new GatehouseError('GH_API_FORBIDDEN', {
      message:
        'command: the admin API may not add commands; start the gateway with GATEHOUSE_STDIO=on, or put the server into the file that GATEHOUSE_CONFIG names',
      data: { field: 'command' },
    })
}

/** Variables say what a command does as much as its arguments: NODE_OPTIONS, LD_PRELOAD, PATH. */
const sameTarget = (a: ServerState, b: ServerState): boolean =>
  a.url === b.url && isDeepStrictEqual([a.command, a.cwd, a.env], [b.command, b.cwd, b.env])

/**
 * Stored secrets do not follow a server to another place: who may change an address must not be able to read with it what
 * they may not see. So secrets are given anew, and no identity of others may hang on the server.
 */
async function checkSecretsStay(work: Work, stored: Server, before: ServerState, input: ServerPatch): Promise<void> {
  const moves = originOf(before.url) !== originOf(input.url === undefined ? before.url : input.url)
  if (moves && (stored.headers.length > 0 || stored.oauth !== null) && input.auth === undefined)
    throw invalid('auth', 'the address has another origin: give the headers or the client anew')
  if (input.command && stored.env.length > 0 && input.env === undefined)
    throw invalid('env', 'the command is another one: give the variables anew')
  if (!moves || work.actor.isOperator) return
  const identities = (await work.store.identities.ofServer(stored.id)).filter(
    ({ managedBy, slug }) => !(managedBy === 'file' && work.renewed?.has(slug)),
  )
  if (identities.length > 0) throw inUse(stored.slug, 'identities', identities)
}

const originOf = (url: string | null): string => (url === null ? '' : new URL(url).origin)

function inUse(slug: string, what: string, by: readonly { readonly slug: string }[]): GatehouseError {
  return conflict(`server '${slug}' is used by the ${what} ${by.map((one) => one.slug).join(', ')}`)
}
