import { isDeepStrictEqual } from 'node:util'
import { stringify } from 'yaml'
import { findVersion } from '../domain/artifacts.js'
import type { Settings } from '../domain/nouns.js'
import { DEFAULT_SETTINGS } from '../domain/nouns.js'
import { pinHash } from '../domain/feature-hash.js'
import type { ApprovalSeen, NameKind, Store } from '../domain/store.js'
import { KINDS } from './kinds.js'
import type { NounName, Present, State } from './kinds.js'
import {
  DEFAULT_PINNING,
  DEFAULT_POISONING,
  EVERYTHING,
  FEATURE_GROUPS,
  type Exposing,
} from '../domain/provisioning.js'
import type { ArtifactState } from './nouns/artifact-files.js'
import { writeExposing } from './nouns/provisioning.js'
import { idpDefaults } from './nouns/idps.js'
import { ALERT_TARGET_DEFAULTS } from './nouns/alert-targets.js'
import { keysOf, putTogether, takeApart } from './nouns/plugin-keys.js'
import { serverDefaults } from './nouns/servers.js'
import type { ServerState } from './nouns/servers.js'
import { isSecretKey } from './schemas.js'
import { writeDuration, writeSize } from './units.js'

/**
 * What is there as a YAML file. Applying it to where it came from changes nothing, once the variables that stand in the
 * place of the secrets are set to what they were; but pins that trusted what they saw trust nothing else from then on. Personal identities that people gave themselves are left out.
 */
export async function exportFile(store: Store): Promise<string> {
  const namer = createNamer()
  const content: Record<string, unknown> = { version: 1 }
  // A plugin may call a secret whatever it likes.
  const sealed = new Map<string, readonly string[]>()
  for (const { slug, secrets } of await store.idps.all()) sealed.set(`idps ${slug}`, secrets)
  for (const { slug, secrets } of await store.engines.all()) sealed.set(`engines ${slug}`, secrets)
  for (const { slug, secrets } of await store.alertTargets.all()) sealed.set(`alerts ${slug}`, secrets)
  const secretsOf = (noun: NounName, key: string) => sealed.get(`${noun} ${key}`) ?? []
  for (const { noun, present } of KINDS) {
    const entries = [...(await present(store))].filter((entry) => isExported(noun, ...entry))
    const written: [string, State][] = []
    for (const [key, { id, state }] of entries) {
      const open = hideSecrets(noun, key, { state, secrets: secretsOf(noun, key) }, namer)
      written.push([key, writeState(noun, key, noun === 'gateways' ? await withHashes(store, id, open) : open)])
    }
    if (written.length > 0) content[noun] = Object.fromEntries(written)
  }
  const settings = writeSettings(await store.settings.get())
  if (Object.keys(settings).length > 0) content['settings'] = settings
  const head = namer.names.length > 0 ? `# Secrets are not exported. Set: ${namer.names.join(' ')}\n` : ''
  return head + stringify(content, { lineWidth: 0, aliasDuplicateObjects: false })
}

/** A pin of one feature is written with the hash of what it has come to trust. */
async function withHashes(store: Store, gatewayId: string, state: State): Promise<State> {
  const gateway = await store.gateways.find(gatewayId)
  const servers = state['servers'] as readonly State[]
  const isPinned = servers.some((one) => FEATURE_GROUPS.some((group) => JSON.stringify(one[group]).includes('"pin"')))
  if (gateway === null || !isPinned) return state
  const { approvals } = await store.features.of(gatewayId)
  return {
    ...state,
    servers: servers.map((one, index) => {
      const id = gateway.assignments[index]?.id
      const own = approvals.filter(({ assignmentId }) => assignmentId === id)
      const groups = FEATURE_GROUPS.map((group) => [group, hashed(one[group] as Exposing, KINDS_OF[group], own)])
      return { ...one, ...Object.fromEntries(groups) }
    }),
  }
}

const KINDS_OF = { tools: ['tool'], prompts: ['prompt'], resources: ['resource', 'template'] } as const

function hashed({ mode, allow }: Exposing, kinds: readonly NameKind[], own: readonly ApprovalSeen[]): Exposing {
  const written = allow.map((entry) => {
    const { name, pin } = entry
    const approved = own.find((one) => one.name === name && kinds.includes(one.kind))
    // The name of a feature may hold a star: then the entry is not of it alone.
    if (pin === undefined || name.includes('*') || pin.sha256 !== undefined || !approved?.hashes) return entry
    return { ...entry, pin: { ...pin, sha256: pinHash(name, approved.hashes, pin.fields) } }
  })
  return { mode, allow: written }
}

function isExported(noun: NounName, key: string, { managedBy, state }: Present): boolean {
  if (noun === 'roles' && key === 'super-admin') return false
  // The gateway makes the person behind its own credential anew at each start.
  if (noun === 'users' && managedBy === 'system') return false
  return noun !== 'identities' || state['shared'] === true || managedBy === 'file'
}

/** Gives each secret a variable of its own, called after the thing and the field. */
function createNamer() {
  const names: string[] = []
  return {
    names,
    placeholder(key: string, field: string): string {
      const plain = `${key}_${field}`.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')
      const name = /^\d/.test(plain) ? `GH_${plain}` : plain
      let free = name
      for (let count = 2; names.includes(free); count++) free = `${name}_${count}`
      names.push(free)
      return `\${env:${free}}`
    },
  }
}

function hideSecrets(
  noun: NounName,
  key: string,
  { state, secrets }: { readonly state: State; readonly secrets: readonly string[] },
  namer: ReturnType<typeof createNamer>,
): State {
  const hide = (values: unknown) =>
    Object.fromEntries(Object.keys(values as object).map((field) => [field, namer.placeholder(key, field)]))
  if (noun === 'identities' || noun === 'exporters') return { ...state, headers: hide(state['headers']) }
  if (noun === 'idps') {
    const secret = Object.keys(state).filter((field) => isSecretKey(field) || secrets.includes(field))
    return { ...state, ...hide(Object.fromEntries(secret.map((field) => [field, null]))) }
  }
  if (noun === 'engines' || noun === 'alerts')
    return hideFields(state, secrets, (field) => namer.placeholder(key, field))
  if (noun !== 'servers') return state
  const { auth, env } = state as unknown as Pick<ServerState, 'auth' | 'env'>
  return { ...state, auth: hideAuth(auth, hide), env: hide(env) }
}

/** Of a record of secrets each by itself: `headers.Authorization` is called after the header. */
function hideFields(state: State, fields: readonly string[], placeholder: (field: string) => string): State {
  const { plain } = takeApart(state, keysOf(fields))
  const hidden = fields.map((field) => [field, placeholder(field.slice(field.indexOf('.') + 1))] as const)
  return putTogether(plain, Object.fromEntries(hidden))
}

function hideAuth(auth: ServerState['auth'], hide: (values: unknown) => Record<string, string>): ServerState['auth'] {
  if (typeof auth === 'string') return auth
  if ('headers' in auth) return Array.isArray(auth.headers) ? auth : { headers: hide(auth.headers) }
  const { clientSecret, ...open } = auth.oauth
  return { oauth: { ...open, ...hide(clientSecret === undefined ? {} : { clientSecret }) } }
}

/** What is as it would be without being said is not said. */
function writeState(noun: NounName, key: string, state: State): State {
  if (noun === 'artifacts') return writeArtifact(state as unknown as ArtifactState)
  const short = unlike(state, defaultsOf(noun, key))
  if (noun !== 'gateways') return short
  const { servers = [], rules = [] } = short as { servers?: State[]; rules?: State[] }
  const written = {
    servers: servers.map((one) => writeAssignment(one)),
    rules: rules.map((rule) => unlike(rule, RULE)),
  }
  const pinning = 'pinning' in short ? { pinning: unlike(short['pinning'] as State, { ...DEFAULT_PINNING }) } : {}
  return { ...short, ...pinning, ...unlike(written, { servers: [], rules: [] }) }
}

function writeAssignment(one: State): State {
  const short = unlike(one, { as: null, identity: 'open', enabled: true, ...EVERYTHING })
  const groups = FEATURE_GROUPS.filter((group) => group in short)
  return { ...short, ...Object.fromEntries(groups.map((group) => [group, writeExposing(short[group] as Exposing)])) }
}

/** Bytes have no place in the file: it names by their digests those that are here. */
function writeArtifact({ engine, versions, current, canary, grants }: ArtifactState): State {
  const name = (version: number): string | number => {
    const sha256 = versions.all.find((one) => one.version === version)?.sha256 ?? ''
    return findVersion(versions.all, { sha256 })?.version === version ? `sha256:${sha256}` : version
  }
  const written = canary && { ...canary, version: name(canary.version) }
  return { engine, current: name(current), ...unlike({ canary: written, grants }, { canary: null, grants: {} }) }
}

const RULE: State = {
  action: null,
  onFailure: 'block',
  alerts: false,
  enabled: true,
  shadow: false,
  servers: [],
  features: [],
}

function defaultsOf(noun: NounName, key: string): State {
  const plain = { title: key, enabled: true }
  switch (noun) {
    case 'roles':
      return { title: key }
    case 'users':
      return { name: '', enabled: true }
    case 'teams':
      return { ...plain, members: [] }
    case 'idps':
      return idpDefaults(key)
    case 'servers':
      return { ...serverDefaults(key) }
    case 'identities':
      return { shared: false, owner: null, headers: {}, enabled: true }
    case 'gateways':
      return {
        ...plain,
        ...{ teams: [], prefix: 'collision', legacySse: false, capture: 'redacted', servers: [], rules: [] },
        pinning: DEFAULT_PINNING,
        poisoning: DEFAULT_POISONING,
      }
    case 'engines':
    case 'artifacts':
      return {}
    case 'exporters':
      return { headers: {}, enabled: true }
    case 'alerts':
      return { ...ALERT_TARGET_DEFAULTS }
    case 'hosts':
      return { ...plain, owner: null }
  }
}

const unlike = (state: State, defaults: State): State =>
  Object.fromEntries(Object.entries(state).filter(([key, value]) => !isDeepStrictEqual(value, defaults[key])))

const SIZES = new Set(['requestBody', 'upstreamEvent', 'upstreamBody', 'bodyInLog'])
const COUNTS = new Set(['sessionsPerUser', 'listensPerUser', 'stdioProcesses', 'registrations'])

function writeSettings(settings: Settings): State {
  const { limits, ...plain } = settings
  const changed = unlike({ ...limits }, { ...DEFAULT_SETTINGS.limits })
  const written = Object.entries(changed).map(([key, value]) => [key, writeLimit(key, value)])
  const { limits: _, ...defaults } = DEFAULT_SETTINGS
  return { ...unlike(plain, defaults), ...(written.length > 0 ? { limits: Object.fromEntries(written) } : {}) }
}

/** A number of no unit would read as milliseconds or bytes; both are written with theirs. */
function writeLimit(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || COUNTS.has(key)) return value
  return SIZES.has(key) ? writeSize(value) : writeDuration(value)
}
