import { ALERT_TYPES } from '@gatehouse/sdk'
import { z } from 'zod'
import { PIN_FIELDS, POISONING } from '../../domain/provisioning.js'
import { DETECTED } from '../connect/detect.js'

/** What the admin API shows. A key that is not here is never sent: secrets have no place in any of these. */

const stored = {
  id: z.string(),
  managedBy: z.enum(['file', 'api', 'system']),
  createdAt: z.string(),
  updatedAt: z.string(),
}
const names = z.array(z.string())
const scheme = z.union([z.enum(['open', 'per-user']), z.object({ shared: z.string() })])

export const ServerAnswer = z.object({
  ...stored,
  slug: z.string(),
  title: z.string(),
  url: z.string().nullable(),
  command: names.nullable(),
  cwd: z.string().nullable(),
  env: names.describe('names of the variables'),
  auth: z.enum(['none', 'headers', 'oauth']),
  headers: names.describe('names of the headers'),
  oauth: z
    .object({
      clientId: z.string().nullable(),
      issuer: z.string().nullable(),
      scope: z.string().nullable(),
      assertion: z.boolean(),
    })
    .nullable()
    .describe('the client that was registered there; its secret is never shown'),
  protocol: z.string(),
  enabled: z.boolean(),
})
export const DetectionAnswer = z.object({
  detected: z.enum(DETECTED),
  issuer: z.string().nullable().describe('its authorization server'),
  next: z.string().describe('what to do, in words'),
})
const pinned = z.object({ fields: names, sha256: z.string().optional() })
const exposing = z.object({
  mode: z.enum(['all', 'selected', 'none']),
  allow: z.array(
    z.object({
      name: z.string().describe('a glob on the server’s own name'),
      readOnly: z.boolean().optional(),
      destructive: z.boolean().optional(),
      idempotent: z.boolean().optional(),
      openWorld: z.boolean().optional(),
      pin: pinned.optional(),
    }),
  ),
})
export const AssignmentAnswer = z.object({
  id: z.string(),
  server: z.string(),
  as: z.string().nullable(),
  identity: scheme,
  enabled: z.boolean(),
  position: z.int(),
  tools: exposing,
  prompts: exposing,
  resources: exposing,
})
const FIELD = z.enum(PIN_FIELDS)
const KIND = z.enum(['tool', 'prompt', 'resource', 'template'])
const definition = z.looseObject({}).nullable().describe('as the server sent it; null when it is too long to keep')
export const FeatureEventAnswer = z.object({
  id: z.string(),
  event: z.enum(['trusted', 'appeared', 'renamed', 'changed', 'suspected', 'approved', 'rejected']),
  version: z.int(),
  sha256: z.string(),
  note: z.string().nullable(),
  by: z.string().nullable(),
  at: z.string(),
  definition,
})
export const FeatureAnswer = z.object({
  id: z.string(),
  kind: KIND,
  name: z.string(),
  state: z.enum(['approved', 'pending', 'quarantined', 'kept']),
  version: z.int().describe('rises with every decision'),
  sha256: z.string().nullable().describe('of the definition that is trusted'),
  definition,
  refused: names.describe('hashes of definitions that were rejected'),
  decidedBy: z.string().nullable(),
  decidedAt: z.string(),
  waiting: FeatureEventAnswer.extend({
    diff: z.array(z.object({ field: FIELD, before: z.string().nullable(), after: z.string().nullable() })),
  })
    .nullable()
    .describe('what was last seen and not decided on'),
})
export const PreviewAnswer = z.object({
  features: z.array(
    z.object({
      kind: KIND,
      name: z.string(),
      title: z.string().nullable(),
      description: z.string().nullable(),
      exposed: z.boolean(),
      why: z.enum([
        'all',
        'selected',
        'approved',
        'kept',
        'none',
        'not_selected',
        'unrecorded',
        'unlooked',
        'pending',
        'changed',
        'refused',
      ]),
      entry: z.int().nullable().describe('which entry of the list decided, from 0'),
      pinned: z.boolean(),
      sha256: z.string().nullable().describe('of what is pinned'),
      changed: z.array(FIELD),
      size: z.int().describe('characters of the definition'),
      tokens: z.int().describe('roughly, of a model that reads it'),
    }),
  ),
  problem: z.string().nullable().describe('why the server could not be asked'),
})
/** With the keys of the rule's engine beside these. */
export const RuleAnswer = z.looseObject({
  ...stored,
  name: z.string(),
  position: z.int(),
  version: z.int(),
  engine: z.string(),
  hook: z.enum(['request', 'response', 'both']),
  action: z.string().nullable(),
  onFailure: z.enum(['block', 'allow']).nullable().describe('null where the engine cannot fail'),
  alerts: z.boolean(),
  enabled: z.boolean(),
  shadow: z.boolean(),
  servers: names,
  features: names,
  quarantine: z
    .object({ since: z.string(), reasons: names, principal: z.string().nullable(), canary: z.boolean() })
    .nullable()
    .describe(
      'set while it is not run, for its own faults; principal: only for this person; canary: only the one that is tried',
    ),
})
const warnings = names.describe('what is allowed and hardly meant, e.g. a pattern that fits nothing')
/** One by one rules are shown with what is odd about them. */
export const OneRuleAnswer = z.looseObject({ ...RuleAnswer.shape, warnings })
export const GatewayRow = z.object({
  ...stored,
  slug: z.string(),
  title: z.string(),
  formerSlugs: names,
  enabled: z.boolean(),
  teams: names,
  prefix: z.string(),
  legacySse: z.boolean(),
  capture: z.string(),
  pinning: z.object({
    onChange: z.enum(['quarantine', 'alert']),
    trustOnFirstUse: z.boolean(),
    newFeatures: z.enum(['allow', 'quarantine']),
    fields: names,
  }),
  poisoning: z.enum(POISONING),
  url: z.string(),
})
export const GatewayAnswer = z.object({
  ...GatewayRow.shape,
  servers: z.array(AssignmentAnswer),
  rules: z.array(RuleAnswer),
  warnings,
})
export const TeamAnswer = z.object({
  ...stored,
  slug: z.string(),
  title: z.string(),
  enabled: z.boolean(),
  members: names,
})
export const UserAnswer = z.object({
  ...stored,
  email: z.string(),
  name: z.string(),
  role: z.string(),
  enabled: z.boolean(),
})
export const RoleAnswer = z.object({ ...stored, slug: z.string(), title: z.string(), capabilities: names })
export const CapabilityAnswer = z.object({
  key: z.string(),
  label: z.string(),
  group: z.string(),
  description: z.string(),
})
export const SentAnswer = z.object({
  id: z.string().describe('of the person'),
  email: z.string(),
  mailed: z.boolean(),
  url: z.string().nullable().describe('to be given to the person; null when it went out by mail'),
  expiresAt: z.string(),
})
export const InvitationAnswer = z.object({
  id: z.string().describe('of the person'),
  email: z.string(),
  name: z.string(),
  role: z.string(),
  invitedBy: z.string().nullable(),
  mailed: z.boolean(),
  createdAt: z.string(),
  expiresAt: z.string(),
})
export const HostAnswer = z.object({
  ...stored,
  slug: z.string(),
  title: z.string(),
  kind: z.string(),
  owner: z.string().nullable(),
  enabled: z.boolean(),
  connections: z.int(),
  lastUsedAt: z.string().nullable(),
  connectUrl: z.string().nullable().describe('where people give it a token of their own'),
})
export const ConnectionAnswer = z.object({
  ...stored,
  host: z.string(),
  gateway: z.string(),
  user: z.string().nullable(),
  enabled: z.boolean(),
  lastUsedAt: z.string().nullable(),
})
export const TokenAnswer = z.object({
  ...stored,
  kind: z.enum(['access', 'admin']),
  label: z.string(),
  lastFour: z.string(),
  connectionId: z.string().nullable(),
  user: z.string().nullable(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
  enabled: z.boolean(),
})
export const MintedAnswer = z.object({
  ...TokenAnswer.shape,
  secret: z.string().describe('shown this once'),
  url: z.string().nullable().describe('where an access token is used'),
})
export const IdentityAnswer = z.object({
  ...stored,
  slug: z.string(),
  server: z.string(),
  shared: z.boolean(),
  owner: z.string().nullable(),
  headers: names.describe('names of the headers'),
  enabled: z.boolean(),
  kind: z.enum(['headers', 'oauth']),
  status: z.enum(['ok', 'needs_reauth']),
})
export const LinkAnswer = z.object({ url: z.string().describe('to be opened in a browser') })
/** With the keys of the exporter's plugin beside these. */
export const ExporterAnswer = z.looseObject({
  ...stored,
  slug: z.string(),
  plugin: z.string(),
  headers: names.describe('names of the headers'),
  enabled: z.boolean(),
  delivery: z.looseObject({}).nullable().describe('how far delivery is'),
})
/** With the keys of the engine's kind beside these. */
export const EngineAnswer = z.looseObject({
  ...stored,
  slug: z.string(),
  kind: z.string(),
  secrets: names.describe('what is kept sealed, e.g. headers.Authorization'),
  version: z.int().describe('rises with every change'),
  lastTest: z
    .object({ at: z.string(), ok: z.boolean(), outcome: z.string(), ms: z.number() })
    .nullable()
    .describe('how the last try ended'),
  usedBy: z.array(z.object({ gateway: z.string(), rule: z.string() })),
})
const schema = z.looseObject({}).describe('JSON Schema')
export const EngineKindAnswer = z.object({
  kind: z.string(),
  plugin: z.string(),
  answers: z
    .enum(['spans', 'verdict', 'either'])
    .describe(
      'spans: a rule says by its action what is done to them; either: it may, or leaves the verdict to the engine',
    ),
  fails: z.boolean().describe('whether a rule may say onFailure'),
  whole: z.boolean().describe('whether it also sees the message as one text'),
  named: z.boolean().describe('whether replace works without a replacement'),
  artifact: z
    .object({ key: z.string(), manifest: schema, grants: schema, mostBytes: z.int() })
    .nullable()
    .describe('the modules that its rules name by this key; null: none'),
  actions: names,
  rule: schema.describe('what a rule adds, as JSON Schema'),
  instance: z
    .object({ schema: schema.describe('its own keys, as JSON Schema'), secret: names.describe('keys that are sealed') })
    .nullable()
    .describe('null: rules name the kind itself'),
  engines: names.nullable().describe('names of its engines'),
})
const counts = z.record(z.string(), z.number())
export const RuleStatisticsAnswer = z.object({
  id: z.string(),
  name: z.string(),
  since: z.string(),
  versions: z.array(
    z.object({
      version: z.int().describe('of the rule'),
      artifact: z.string().nullable().describe('name@version, of rules that name one'),
      sha256: z.string().nullable().describe('of the artifact'),
      from: z.string().describe('the first hour of which something is counted'),
      to: z.string(),
      calls: z.number().describe('messages that were shown to it'),
      changes: z.number(),
      blocks: z.number(),
      detections: z.number(),
      undecided: z.number(),
      strikes: counts.describe('its own faults, by kind'),
      counters: counts.describe('what it counted besides'),
      fuel: z.object({ calls: z.number(), mean: z.number(), max: z.number() }).nullable(),
      ms: z.object({ mean: z.number(), max: z.number() }),
    }),
  ),
})
export const TrialAnswer = z.object({
  verdict: z.enum(['pass', 'modify', 'block', 'detect', 'undecided']),
  reason: z.string().nullable().describe('why it was blocked, or could not be decided'),
  findings: z
    .array(z.object({ type: z.string(), start: z.int(), end: z.int(), score: z.number() }))
    .describe('places in the text, in UTF-16 units'),
  before: z.string(),
  after: z.string().nullable().describe('null when nothing goes on'),
  notes: names.describe('what the engine says of the try'),
  ms: z.number(),
  errors: z
    .array(z.object({ path: z.string().optional(), message: z.string(), position: z.number().optional() }))
    .describe('what is wrong with the keys: then nothing was tried'),
})
const idpAddresses = {
  redirectUri: z.string().describe('to be allowed there'),
  initiateLoginUri: z.string().describe('for a tile on its dashboard'),
  backchannelLogoutUri: z.string(),
  postLogoutRedirectUri: z.string(),
}
/** With the keys of the provider's plugin beside these. */
export const IdpAnswer = z.looseObject({
  ...stored,
  slug: z.string(),
  title: z.string(),
  plugin: z.string(),
  secrets: names.describe('names of the keys that are sealed'),
  domains: names,
  role: z.string().nullable(),
  groups: z.record(z.string(), z.string()).describe('groups there to teams here'),
  button: z.boolean(),
  required: z.boolean(),
  breakGlass: names,
  trustDomainVerifiedEmail: z.boolean(),
  trustAssertions: z.boolean(),
  enabled: z.boolean(),
  ...idpAddresses,
})
export const IdpTestAnswer = z.looseObject({
  ok: z.boolean(),
  failure: z.string().optional(),
  reason: z.string().optional(),
  issuer: z.string().optional(),
  ...idpAddresses,
})
/** With the keys of the target's plugin beside these. */
export const AlertTargetAnswer = z.looseObject({
  ...stored,
  slug: z.string(),
  plugin: z.string(),
  secrets: names.describe('names of the keys that are sealed'),
  minSeverity: z.string(),
  types: names,
  gateways: names,
  enabled: z.boolean(),
  delivery: z.looseObject({}).nullable().describe('how far delivery is'),
})
export const AlertTargetTestAnswer = z.object({
  ok: z.boolean(),
  message: z.string().optional(),
  status: z.number().optional(),
})
const severities = z.object({ error: z.int(), warning: z.int(), info: z.int() })
export const AlertCountsAnswer = z.object({ open: severities, acknowledged: severities })
const named = (name: string) =>
  z.object({ id: z.string(), [name]: z.string().nullable().describe('null: it is gone') }).nullable()
export const AlertRow = z.object({
  id: z.string(),
  type: z.enum(ALERT_TYPES),
  severity: z.enum(['info', 'warning', 'error']),
  message: z.string(),
  gateway: named('slug'),
  server: named('slug'),
  rule: named('name'),
  user: named('email'),
  count: z.int().describe('how often it was raised'),
  state: z.enum(['open', 'acknowledged', 'resolved']),
  firstAt: z.string(),
  lastAt: z.string(),
})
export const AlertAnswer = z.object({
  ...AlertRow.shape,
  key: z.string().describe('what its repeats have in common'),
  connectionId: z.string().nullable(),
  correlationId: z.string().nullable(),
  context: z.record(z.string(), z.json()).describe('scrubbed before it was stored'),
  links: z.record(z.string(), z.string()),
  stateAt: z.string(),
  history: z.array(
    z.object({
      state: z.string(),
      at: z.string(),
      userId: z.string().nullable(),
      email: z.string().nullable().describe('null: the gateway itself'),
      note: z.string().nullable(),
    }),
  ),
})
export const SettingsAnswer = z.object({
  audit: z.string(),
  retentionDays: z.object({ logs: z.int(), alerts: z.int(), sealed: z.int() }),
  refreshReuse: z.object({ seconds: z.int(), uses: z.int() }),
  redirectSchemes: z.array(z.string()),
  clientDocuments: z.boolean(),
  ruleModules: z.object({
    requireSignature: z.boolean(),
    trustedKeys: z.record(z.string(), z.object({ publicKey: z.string() })),
    revoked: names.describe('SHA-256 of modules that run no more'),
    keepVersions: z.int(),
  }),
  defaultRole: z.string(),
  limits: z
    .record(z.string(), z.union([z.number(), z.record(z.string(), z.number())]))
    .describe('milliseconds, bytes, counts'),
})
export const StepsAnswer = z.object({
  steps: z.array(
    z.object({
      op: z.enum(['create', 'update', 'remove']),
      noun: z.string(),
      key: z.string(),
      fields: names.describe('what differs; values are not told'),
      notes: names.optional().describe('e.g. the digests of a module that comes and of the one before'),
    }),
  ),
  notes: names,
  warnings,
})

const CANARY = z.object({ version: z.int(), percent: z.int(), shadow: z.boolean() })
const SIGNED = {
  signedBy: z.string().nullable().describe('the trusted key that vouches for it by the settings of now'),
  refused: z.string().nullable().describe('why it must not run'),
}
export const ArtifactVersionAnswer = z.object({
  version: z.int(),
  sha256: z.string().describe('of the bytes'),
  size: z.int().describe('bytes'),
  state: z.enum(['current', 'canary', 'previous', 'kept']),
  keyId: z.string().nullable().describe('the key that its signature names'),
  ...SIGNED,
  uploadedBy: z.string().nullable().describe('null: the operator’s file'),
  at: z.string(),
})
export const OneVersionAnswer = z.object({
  ...ArtifactVersionAnswer.shape,
  manifest: z.looseObject({}),
  facts: z.looseObject({}).describe('what its engine found out at the upload'),
})
export const ArtifactRow = z.object({
  ...stored,
  slug: z.string(),
  engine: z.string().describe('the kind of engine that it is for'),
  current: z.int(),
  previous: z.int().nullable().describe('the version that was current before'),
  sha256: z.string().nullable().describe('of the current version'),
  ...SIGNED,
  canary: CANARY.nullable(),
  grants: z.looseObject({}),
  versions: z.int().describe('how many there are'),
  usedBy: z.array(
    z.object({ gateway: z.string(), rule: z.string(), version: z.int().nullable().describe('null: the current one') }),
  ),
})
export const ArtifactAnswer = z.object({ ...ArtifactRow.shape, versions: z.array(ArtifactVersionAnswer) })
export const ModuleAnswer = z.object({
  sha256: z.string(),
  module: z.string().describe('the bytes, in base64'),
  manifest: z.looseObject({}),
  signature: z.object({ keyId: z.string(), signature: z.string() }).nullable(),
})
