import { isDeepStrictEqual } from 'node:util'
import type { ManagedBy, Stored } from '../domain/nouns.js'
import { DEFAULT_POISONING } from '../domain/provisioning.js'
import type { Store } from '../domain/store.js'
import {
  ALERT_TARGET_DEFAULTS,
  type AlertTargetState,
  alertTargetState,
  createAlertTarget,
  removeAlertTarget,
  replaceAlertTarget,
} from './nouns/alert-targets.js'
import { removeArtifact } from './nouns/artifacts.js'
import {
  applyArtifact,
  type ArtifactState,
  artifactState,
  broughtBy,
  moduleNotes,
  wantedState,
} from './nouns/artifact-files.js'
import { createEngine, engineState, removeEngine, replaceEngine } from './nouns/engines.js'
import { createExporter, exporterState, removeExporter, replaceExporter } from './nouns/exporters.js'
import { createGateway, gatewayState, removeGateway, updateGateway } from './nouns/gateways.js'
import { createHost, hostState, removeHost, updateHost } from './nouns/hosts.js'
import { createIdp, idpDefaults, idpState, removeIdp, replaceIdp } from './nouns/idps.js'
import { createIdentity, identityState, removeIdentity, updateIdentity } from './nouns/identities.js'
import {
  createRole,
  createTeam,
  createUser,
  removeRole,
  removeTeam,
  removeUser,
  teamState,
  updateRole,
  updateTeam,
  updateUser,
} from './nouns/people.js'
import { pinningOf, provisioningOf } from './nouns/provisioning.js'
import { engineConfig, fieldsOf } from './nouns/rules.js'
import { createServer, removeServer, serverDefaults, serverState, updateServer } from './nouns/servers.js'
import type { Problem } from './problems.js'
import type { File } from './schemas.js'
import { given } from './work.js'
import type { Work } from './work.js'

export type NounName = Exclude<keyof File, 'version' | 'plugins' | 'defaultRules' | 'settings'>
export type State = Readonly<Record<string, unknown>>

/** A thing that is there, as the file would say it. Secrets are in it: never to be shown. */
export interface Present {
  readonly id: string
  readonly managedBy: ManagedBy
  readonly state: State
}

/** What the file says of one thing: how it is to be, and how to get there. */
export interface Wanted {
  readonly state: State
  /** Where the file speaks of it, when that is not under its noun. */
  readonly place?: Problem['path'] | null
  /** What a plan tells of it beside the fields that differ. */
  readonly notes?: readonly string[]
  create(work: Work): Promise<unknown>
  update(work: Work): Promise<unknown>
}

/** A noun of the file. `wanted` fills in every key: what the file leaves out takes its default. */
export interface Kind {
  readonly noun: NounName
  present(store: Store): Promise<Map<string, Present>>
  wanted(file: File, present: ReadonlyMap<string, Present>): Map<string, Wanted>
  remove(work: Work, key: string): Promise<void>
}

const sorted = (names: readonly string[] = []): string[] => [...new Set(names)].toSorted()

const roles = kind('roles', {
  rows: (store) => store.roles.all(),
  keyOf: (role) => role.slug,
  stateOf: (_, role) => ({ title: role.title, capabilities: sorted(role.capabilities) }),
  want(key, input) {
    const state = { title: input.title ?? key, capabilities: sorted(input.capabilities) as typeof input.capabilities }
    return { state, create: (work) => createRole(work, key, state), update: (work) => updateRole(work, key, state) }
  },
  remove: removeRole,
})

/** A name that the file leaves out is the person's own affair; so is the role, which is the default one for a new user. */
const users = kind('users', {
  rows: (store) => store.users.all(),
  keyOf: (user) => user.email,
  stateOf: (_, { name, role, enabled }) => ({ name, role, enabled }),
  want(key, input, present) {
    const enabled = input.enabled ?? true
    const state = { ...(present?.state ?? { name: '' }), ...given(input), enabled }
    const change = { ...given(input), enabled }
    return { state, create: (work) => createUser(work, key, input), update: (work) => updateUser(work, key, change) }
  },
  remove: removeUser,
})

/** Members that the file does not speak of are those of the API and of groups at an identity provider. */
const teams = kind('teams', {
  rows: (store) => store.teams.all(),
  keyOf: (team) => team.slug,
  stateOf: async (store, team) => ({ ...(await teamState({ store }, team)) }),
  want(key, { title = key, enabled = true, members }, present) {
    const named = members && { members: sorted(members) }
    const state = { title, enabled, members: named?.members ?? present?.state['members'] ?? [] }
    const input = { title, enabled, ...named }
    return { state, create: (work) => createTeam(work, key, input), update: (work) => updateTeam(work, key, input) }
  },
  remove: removeTeam,
})

const idps = kind('idps', {
  rows: (store) => store.idps.all(),
  keyOf: (idp) => idp.slug,
  stateOf: (store, idp) => idpState({ store }, idp),
  want(key, input) {
    const { domains, breakGlass, ...rest } = given(input)
    const lists = { domains: sorted(domains), breakGlass: sorted(breakGlass) }
    const state = { ...idpDefaults(key), ...rest, ...lists, plugin: input.plugin }
    return { state, create: (work) => createIdp(work, key, input), update: (work) => replaceIdp(work, key, state) }
  },
  remove: removeIdp,
})

const servers = kind('servers', {
  rows: (store) => store.servers.all(),
  keyOf: (server) => server.slug,
  stateOf: async (store, server) => ({ ...(await serverState({ store }, server)) }),
  want(key, input) {
    const state = { ...serverDefaults(key), ...given(input) }
    return { state, create: (work) => createServer(work, key, input), update: (work) => updateServer(work, key, state) }
  },
  remove: removeServer,
})

const identities = kind('identities', {
  rows: (store) => store.identities.all(),
  keyOf: (identity) => identity.slug,
  stateOf: async (store, identity) => ({ ...(await identityState({ store }, identity)) }),
  want(key, input) {
    const { server, shared = false, owner, headers, enabled = true } = input
    const state = { server, shared, owner: owner ?? null, headers: headers ?? {}, enabled }
    const full = { ...input, shared, enabled }
    return {
      state,
      create: (work) => createIdentity(work, key, full),
      update: (work) => updateIdentity(work, key, full),
    }
  },
  remove: removeIdentity,
})

const gateways = kind('gateways', {
  rows: (store) => store.gateways.all(),
  keyOf: (gateway) => gateway.slug,
  stateOf: async (store, gateway) => ({ ...(await gatewayState({ store }, gateway)) }),
  want(key, input) {
    const { title = key, enabled = true, prefix = 'collision', legacySse = false, capture = 'redacted' } = input
    const pinning = pinningOf(input.pinning)
    const { poisoning = DEFAULT_POISONING } = input
    const teams = sorted(input.teams)
    const plain = { title, enabled, teams, prefix, legacySse, capture, pinning, poisoning } as const
    const assignments = (input.servers ?? []).map(({ server, as, identity, enabled: isOn, ...exposed }) => {
      const provisioning = provisioningOf(exposed)
      return { server, as: as ?? null, identity: identity ?? 'open', enabled: isOn ?? true, ...provisioning }
    })
    const rules = (input.rules ?? []).map((rule) => ({ ...engineConfig(rule), ...fieldsOf(rule) }))
    const full = {
      ...{ ...plain, pinning: input.pinning },
      servers: input.servers ?? [],
      rules: input.rules ?? [],
    }
    return {
      state: { ...plain, servers: assignments, rules },
      create: (work) => createGateway(work, key, full),
      update: (work) => updateGateway(work, key, { ...full, pinning: { ...pinning, fields: [...pinning.fields] } }),
    }
  },
  remove: removeGateway,
})

const exporters = kind('exporters', {
  rows: (store) => store.exporters.all(),
  keyOf: (exporter) => exporter.slug,
  stateOf: (store, exporter) => exporterState({ store }, exporter),
  want(key, input) {
    const state = { ...input, headers: input.headers ?? {}, enabled: input.enabled ?? true }
    return {
      state,
      create: (work) => createExporter(work, key, input),
      update: (work) => replaceExporter(work, key, state),
    }
  },
  remove: removeExporter,
})

const engines = kind('engines', {
  rows: (store) => store.engines.all(),
  keyOf: (engine) => engine.slug,
  stateOf: (store, engine) => engineState({ store }, engine),
  want(key, input) {
    const state = { ...input }
    return {
      state,
      create: (work) => createEngine(work, key, input),
      update: (work) => replaceEngine(work, key, state),
    }
  },
  remove: removeEngine,
})

const artifacts = kind('artifacts', {
  rows: (store) => store.artifacts.all(),
  keyOf: (artifact) => artifact.slug,
  stateOf: async (store, artifact) => ({ ...(await artifactState(store, artifact)) }),
  want(key, input, present) {
    const before = present?.state as unknown as ArtifactState | undefined
    const after = wantedState(input, before)
    const apply = (work: Work) => applyArtifact(work, key, input)
    const notes = moduleNotes(after, before)
    return { state: { ...after }, place: broughtBy(input).place, notes, create: apply, update: apply }
  },
  remove: removeArtifact,
})

const alerts = kind('alerts', {
  rows: (store) => store.alertTargets.all(),
  keyOf: (target) => target.slug,
  stateOf: (store, target) => alertTargetState({ store }, target),
  want(key, input) {
    const lists = { types: sorted(input.types), gateways: sorted(input.gateways) }
    const state = { ...ALERT_TARGET_DEFAULTS, ...given(input), ...lists, plugin: input.plugin } as AlertTargetState
    return {
      state,
      create: (work) => createAlertTarget(work, key, input),
      update: (work) => replaceAlertTarget(work, key, state),
    }
  },
  remove: removeAlertTarget,
})

const hosts = kind('hosts', {
  rows: async (store) => (await store.hosts.all()).filter((host) => host.kind === 'token'),
  keyOf: (host) => host.slug,
  stateOf: async (store, host) => ({ ...(await hostState({ store }, host)) }),
  want(key, { title = key, owner, enabled = true }) {
    const state = { title, kind: 'token' as const, owner: owner ?? null, enabled }
    const full = { title, kind: 'token' as const, enabled }
    return {
      state,
      create: (work) => createHost(work, key, { ...full, owner }),
      update: (work) => updateHost(work, key, { ...full, owner: owner ?? null }),
    }
  },
  remove: removeHost,
})

/** In the order in which they can be made: what is referred to comes first. */
export const KINDS: readonly Kind[] = [
  roles,
  users,
  teams,
  idps,
  servers,
  identities,
  engines,
  artifacts,
  gateways,
  exporters,
  alerts,
  hosts,
]

type Input<Noun extends NounName> = NonNullable<File[Noun]>[string]

function kind<Noun extends NounName, N extends Stored>(
  noun: Noun,
  say: {
    rows(store: Store): Promise<N[]>
    keyOf(row: N): string
    stateOf(store: Store, row: N): State | Promise<State>
    want(key: string, input: Input<Noun>, present: Present | undefined): Wanted
    remove(work: Work, key: string): Promise<void>
  },
): Kind {
  return {
    noun,
    async present(store) {
      const found = new Map<string, Present>()
      for (const row of await say.rows(store)) {
        const { id, managedBy } = row
        found.set(say.keyOf(row), { id, managedBy, state: await say.stateOf(store, row) })
      }
      return found
    },
    wanted(file, present) {
      const inputs = Object.entries((file[noun] ?? {}) as Record<string, Input<Noun>>)
      return new Map(inputs.map(([key, input]) => [key, say.want(key, input, present.get(key))]))
    },
    remove: say.remove,
  }
}

/** The keys in which two states differ. */
export function differences(present: State, wanted: State): string[] {
  const keys = new Set([...Object.keys(present), ...Object.keys(wanted)])
  return [...keys].filter((key) => !isDeepStrictEqual(present[key], wanted[key]))
}
