import { createFileOperations } from '../configuration/apply.js'
import { createMutations, type MutationOptions } from '../configuration/mutations.js'
import type { Actor, Checks } from '../configuration/work.js'
import { modulesSent } from '../configuration/module-files.js'
import { sourceOf } from '../configuration/references.js'
import { CAPABILITIES } from '../domain/capabilities.js'
import type { Store } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import { z } from 'zod'
import { demands } from '../rules/demands.js'
import { engineKind } from '../rules/testing.js'
import { createMemoryStore } from './memory-store.js'

export const MEMBER = ['authenticateViaOauth']

/** A file that says something of everything. */
export const FULL_FILE = `
version: 1
plugins: [{ use: auth-token }]
roles: { auditor: { capabilities: [viewMessageBodies, viewAndExportLogs] } }
users: { Ana@example.com: { role: auditor }, bob@example.com: {} }
teams: { engineering: { members: [bob@example.com, Ana@example.com] } }
servers:
  everything: { command: [npx, -y, everything], env: { DEBUG: "0", API_KEY: "\${env:EV_KEY}" } }
  search: { url: https://search.example.com/mcp, auth: { headers: { X-Key: "\${env:SEARCH_KEY}" } }, protocol: legacy }
identities:
  reader: { server: search, shared: true, headers: { Authorization: "Bearer \${env:READER}" } }
engines:
  dlp: { kind: webhook, url: https://dlp.example.com/inspect, headers: { Authorization: "Bearer \${env:DLP}" }, token: "\${env:DLP_TOKEN}" }
gateways:
  engineering:
    teams: [engineering]
    prefix: always
    capture: none
    pinning: { trustOnFirstUse: true, newFeatures: quarantine }
    servers:
      - server: search
        as: find
        identity: { shared: reader }
        tools: { mode: selected, allow: [{ name: "find_*", readOnly: true, pin: [description, name] }, { name: get, pin: true }] }
        resources: { mode: none }
      - { server: everything, enabled: false }
    rules:
      - { name: SSN, engine: regex, hook: response, patterns: ['\\d{3}'], action: mask, alerts: true, servers: [find] }
      - { name: Company, engine: acme, hook: both, patterns: [], onFailure: allow, shadow: true }
      - { name: Dlp, engine: dlp, hook: both, patterns: [] }
exporters:
  soc: { plugin: siem-otlp, url: https://otel.example.com/v1/logs, headers: { X-Key: "\${env:SOC_KEY}" } }
alerts:
  ops: { plugin: alert-webhook, url: https://hooks.example.com/x, minSeverity: warning, gateways: [engineering], secret: "\${env:OPS_SECRET}", headers: { X-Key: "\${env:OPS_KEY}" } }
hosts: { bot: { kind: token, owner: bob@example.com } }
settings: { audit: strict, retentionDays: { logs: 30, alerts: 60 }, limits: { call: 90s, bodyInLog: 16KiB, sessionsPerUser: 5, parkedCalls: { perUser: 7 } } }
idps:
  okta:
    plugin: idp-oidc
    issuer: https://acme.okta.com
    clientId: gateway
    clientSecret: "\${env:OKTA_SECRET}"
    domains: [Example.com]
    role: auditor
    groups: { eng: engineering }
    breakGlass: [bob@example.com]
`
export const FULL_SECRETS = {
  'env:EV_KEY': 'ev',
  'env:SEARCH_KEY': 'se',
  'env:READER': 're',
  'env:SOC_KEY': 'so',
  'env:OKTA_SECRET': 'ok',
  'env:OPS_SECRET': 'op',
  'env:OPS_KEY': 'ke',
  'env:DLP': 'dl',
  'env:DLP_TOKEN': 'dt',
}

const WEBHOOK = z.object({
  url: z.url(),
  headers: z.record(z.string(), z.string()).optional(),
  token: z.string().optional(),
  method: z.string().optional(),
})

/** Engines and exporters as a gateway with our plugins would have them; nothing may be called at `refused.example.com`. */
export const fakeChecks: Checks = {
  engines: () => [
    engineKind('regex', { declaration: { rule: z.looseObject({}), answers: 'spans', fails: false, named: false } }),
    engineKind('acme', { declaration: { rule: z.looseObject({}), answers: 'verdict', fails: true } }),
    engineKind('webhook', {
      declaration: { rule: z.looseObject({}), answers: 'verdict', fails: true },
      instance: { schema: WEBHOOK, secret: ['headers', 'token'] },
    }),
  ],
  async checkRule(rule) {
    const kind = fakeChecks.engines().find((each) => each.kind === rule.engine)
    const wrong = kind === undefined ? [] : demands(kind, rule)
    if (wrong.length > 0) return wrong
    const { patterns } = rule.config
    if (!Array.isArray(patterns)) return [{ path: 'patterns', message: 'must be a list' }]
    return patterns.includes('(') ? [{ path: 'patterns[0]', message: 'is not a pattern', position: 0 }] : []
  },
  checkUpload: async () => ({ ok: true, facts: {} }),
  defaultRules: { rules: [], onSkipped: () => undefined },
  exporters: () => ['siem-otlp'],
  checkExporter: async (_, { url }) => (typeof url === 'string' ? [] : [{ path: 'url', message: 'is needed' }]),
  exporterSecrets: () => ['headers', 'apiKey'],
  idps: () => ['idp-oidc'],
  checkIdp: async (_, { issuer }) => (typeof issuer === 'string' ? [] : [{ path: 'issuer', message: 'is needed' }]),
  idpSecrets: () => ['clientSecret'],
  alertTargets: {
    loaded: () => ['alert-webhook'],
    check: async (_, { url }) => (typeof url === 'string' ? [] : [{ path: 'url', message: 'is needed' }]),
    secrets: () => ['secret', 'headers'],
  },
  async checkUrl(url) {
    if (new URL(url).hostname === 'refused.example.com') throw new GatehouseError('GH_EGRESS_REFUSED')
  },
  stdio: false,
}

/** Configuration on a store in memory, with the built-in roles, a super admin and a member. */
export async function configurationBench({
  store = createMemoryStore(),
  checks = {} as Partial<Checks>,
  lock = (<T>(work: () => Promise<T>) => work()) as MutationOptions['lock'],
} = {}) {
  await seed(store)
  const told: number[] = []
  const mutations = createMutations({
    store,
    checks: { ...fakeChecks, ...checks },
    lock,
    onChanged: async () => void told.push(await store.epoch()),
  })
  const files = createFileOperations(
    mutations,
    (noun, { kind }) => {
      const known = { ...fakeChecks, ...checks }.engines().find((each) => each.kind === kind)
      return noun === 'engines' ? (known?.instance?.secret ?? []) : []
    },
    { ...fakeChecks, ...checks }.engines,
  )
  const root = await store.users.byKey('root@example.com')
  const as = (capabilities: readonly string[], email = 'root@example.com'): Promise<Actor> =>
    store.users.byKey(email).then((user) => ({
      userId: user?.id ?? null,
      capabilities: new Set(capabilities),
      managedBy: 'api',
      isOperator: false,
    }))
  const fromFile = (
    text: string,
    { prune = false, secrets = {} as Record<string, string>, isOperator = true } = {},
  ) => ({
    text,
    name: 'file.yaml',
    prune,
    source: sourceOf(secrets),
    modules: modulesSent({}),
    actor: { userId: null, capabilities: new Set(['*']), managedBy: 'file', isOperator } as Actor,
  })
  return { store, mutations, files, told, as, fromFile, admin: await as(['*']), rootId: root?.id ?? '' }
}

async function seed(store: Store): Promise<void> {
  const managedBy = 'system' as const
  const all = CAPABILITIES.filter((key) => key !== 'viewMessageBodies')
  for (const [slug, capabilities] of [
    ['super-admin', ['*']],
    ['administrator', all],
    ['member', MEMBER],
  ] as const)
    if (!(await store.roles.byKey(slug))) await store.roles.insert({ slug, title: slug, capabilities, managedBy })
  for (const [email, role] of [
    ['root@example.com', 'super-admin'],
    ['mia@example.com', 'member'],
  ] as const)
    if (!(await store.users.byKey(email))) await store.users.insert({ email, name: '', role, enabled: true, managedBy })
}

/** The refusal of a piece of work; fails when there is none. */
export async function refusalOf(work: Promise<unknown>): Promise<GatehouseError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof GatehouseError) return error
  throw error ?? new Error('nothing was refused')
}
