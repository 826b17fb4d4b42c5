import { ALERT_TYPES, type JsonObject } from '@gatehouse/sdk'
import { z } from 'zod'
import { CAPABILITIES } from '../domain/capabilities.js'
import { readPublicKey } from '../domain/artifact-trust.js'
import { inBase64, isModulePath, MOST_MODULE, readVersion, type VersionReference } from '../domain/artifacts.js'
import { PIN_FIELDS, POISONING } from '../domain/provisioning.js'
import { strict } from './problems.js'
import { duration, size } from './units.js'

/**
 * What may be said of each noun, once for the admin API, its OpenAPI description and the YAML file. Keys that are left out
 * take their default when a noun is made. What this version does not do is refused, never taken and ignored.
 */
export const slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 characters of a-z, 0-9 and -, not beginning with -')
/** A slug or an id. */
export const reference = z.string().min(1).max(320).toLowerCase()
// Lenient on purpose: `operator@localhost` is one, too.
export const email = z
  .string()
  .max(254)
  .regex(/^[^\s@<>",;]+@[^\s@<>",;]+$/, 'must be an e-mail address')
  .toLowerCase()

const title = z.string().trim().min(1).max(100)
const enabled = z.boolean()
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'is not a header name')
// No CR, LF, NUL or other control characters: a value must stay one header.
// oxlint-disable-next-line no-control-regex
const headerValue = z.string().regex(/^[^\x00-\x08\x0a-\x1f\x7f]{1,8192}$/, 'is not a header value')
const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'is not the name of an environment variable')
const argument = z
  .string()
  .max(4096)
  .refine((text) => !text.includes('\0'), 'must not hold a NUL')

/** Names that frame a message or belong to the transport: whoever sets them breaks the connection or smuggles. */
const RESERVED_HEADERS = new Set([
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'expect',
  'accept',
  'mcp-session-id',
  'mcp-protocol-version',
])
export const headers = z
  .record(headerName, headerValue)
  .refine((given) => Object.keys(given).length <= 20, 'at most 20 headers')
  .refine((given) => Object.keys(given).every((name) => !RESERVED_HEADERS.has(name.toLowerCase())), {
    error: (issue) => {
      const names = Object.keys(issue.input as object).filter((name) => RESERVED_HEADERS.has(name.toLowerCase()))
      return `${names.join(', ')} is set by the gateway itself`
    },
  })
  .refine((given) => new Set(Object.keys(given).map((name) => name.toLowerCase())).size === Object.keys(given).length, {
    error: 'a header is named twice',
  })

/** Names alone: each identity brings its own values. */
const headerNames = z
  .array(headerName)
  .min(1)
  .max(20)
  .refine((names) => names.every((name) => !RESERVED_HEADERS.has(name.toLowerCase())), 'names one of our own headers')
  .refine((names) => new Set(names.map((name) => name.toLowerCase())).size === names.length, 'a header is named twice')
// RFC 6749, appendix A: visible characters, and spaces between scopes.
const vschars = z.string().regex(/^[\x21-\x7e][\x20-\x7e]{0,2047}$/, 'must be visible ASCII characters')
const oauthClient = strict({
  clientId: vschars.optional(),
  clientSecret: vschars.optional(),
  issuer: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .max(2048)
    .optional(),
  scope: vschars.optional(),
  assertion: z.boolean().optional(),
}).refine(({ clientId, clientSecret }) => clientSecret === undefined || clientId !== undefined, {
  error: 'a clientSecret needs its clientId',
})
const auth = z.union(
  [z.enum(['none', 'oauth']), strict({ headers: z.union([headers, headerNames]) }), strict({ oauth: oauthClient })],
  {
    error:
      'must be none, oauth, { headers: { <name>: <value> } }, { headers: [<name>] } or { oauth: { clientId, clientSecret } }',
  },
)

export const serverShape = {
  title: title.optional(),
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .max(2048)
    .optional(),
  command: z.array(argument).min(1).max(100).optional(),
  cwd: argument.min(1).optional(),
  env: z.record(variableName, argument).optional(),
  auth: auth.optional(),
  protocol: z.enum(['auto', 'modern', 'legacy', 'sse']).optional(),
  enabled: enabled.optional(),
}

const scheme = z.union([z.enum(['open', 'per-user']), strict({ shared: reference })], {
  error: 'must be open, per-user or { shared: <identity> }',
})
const pinFields = z.array(z.enum(['name', ...PIN_FIELDS], { error: `must be of ${PIN_FIELDS.join(', ')}` })).max(10)
const pin = z.union(
  [
    z.literal(true),
    pinFields,
    strict({
      fields: pinFields,
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex')
        .optional(),
    }),
  ],
  { error: 'must be true, [<field>, ...] or { fields: [<field>, ...], sha256: <hash> }' },
)
/** A glob on the server's own name of a feature; what only that can say is pinned, or asked of tools. */
const allowEntry = {
  name: z.string().min(1).max(4_096),
  pin: pin.optional(),
}
const hints = {
  readOnly: z.boolean().optional(),
  destructive: z.boolean().optional(),
  idempotent: z.boolean().optional(),
  openWorld: z.boolean().optional(),
}
const exposing = <Entry extends z.ZodType<{ name: string; pin?: unknown }>>(entry: Entry) =>
  strict({ mode: z.enum(['all', 'selected', 'none']), allow: z.array(entry).max(500).optional() }).superRefine(
    ({ mode, allow = [] }, context) => {
      if (mode !== 'selected' && allow.length > 0)
        context.addIssue({ code: 'custom', path: ['allow'], message: `only mode selected has a list, not ${mode}` })
      allow.forEach(({ name, pin: given }, index) => {
        const isOfOne = typeof given === 'object' && given !== null && 'sha256' in given && given.sha256 !== undefined
        if (isOfOne && name.includes('*'))
          context.addIssue({
            code: 'custom',
            path: ['allow', index, 'pin', 'sha256'],
            message: 'is of one feature, and needs its whole name',
          })
      })
    },
  )
export const assignmentShape = {
  server: reference,
  as: slug.optional(),
  identity: scheme.optional(),
  enabled: enabled.optional(),
  tools: exposing(strict({ ...allowEntry, ...hints })).optional(),
  prompts: exposing(strict(allowEntry)).optional(),
  resources: exposing(strict(allowEntry)).optional(),
}
export const Assignment = strict(assignmentShape)
export const AssignmentPatch = strict({ ...assignmentShape, server: reference.optional() })

export const Pinning = strict({
  onChange: z.enum(['quarantine', 'alert']).optional(),
  trustOnFirstUse: z.boolean().optional(),
  newFeatures: z.enum(['allow', 'quarantine']).optional(),
  fields: pinFields.optional(),
})

export const ruleShape = {
  name: z.string().trim().min(1).max(100),
  engine: slug,
  hook: z.enum(['request', 'response', 'both']),
  action: z.enum(['block', 'redact', 'replace', 'mask', 'hash', 'detect']).optional(),
  onFailure: z.enum(['block', 'allow']).optional(),
  alerts: z.boolean().optional(),
  enabled: enabled.optional(),
  shadow: z.boolean().optional(),
  servers: z.array(z.string().min(1).max(200)).max(100).optional(),
  features: z.array(z.string().min(1).max(300)).max(100).optional(),
}
/** Keys that are not here belong to the rule's engine and are checked by it. */
export const Rule = z.looseObject(ruleShape)
export type RuleInput = z.output<typeof Rule>
export const RulePatch = z.looseObject({
  ...ruleShape,
  name: ruleShape.name.optional(),
  engine: ruleShape.engine.optional(),
  hook: ruleShape.hook.optional(),
})

/** Rules of one gateway. */
export const MOST_RULES = 1_000
export const TOO_MANY_RULES = 'a gateway takes 1,000 rules at most: join some, or split the gateway'

const teams = z.array(reference).max(200)
const capture = z.enum(['none', 'redacted', 'sealed'], { error: 'must be none, redacted or sealed' })
export const gatewayShape = {
  title: title.optional(),
  enabled: enabled.optional(),
  teams: teams.optional(),
  prefix: z.enum(['collision', 'always', 'never']).optional(),
  legacySse: z.boolean().optional(),
  capture: capture.optional(),
  pinning: Pinning.optional(),
  poisoning: z.enum(POISONING).optional(),
}
export const gatewayFileShape = {
  ...gatewayShape,
  servers: z.array(Assignment).max(200).optional(),
  rules: z.array(Rule).max(MOST_RULES, TOO_MANY_RULES).optional(),
}

export const teamShape = {
  title: title.optional(),
  enabled: enabled.optional(),
  members: z.array(reference).max(10_000).optional(),
}
export const userShape = {
  name: z.string().trim().max(100).optional(),
  role: reference.optional(),
  enabled: enabled.optional(),
}
const capabilities = z.array(
  z.enum(CAPABILITIES, { error: (issue) => `no capability is called ${String(issue.input)}` }),
)
export const roleShape = { title: title.optional(), capabilities }
export const identityShape = {
  server: reference,
  shared: z.boolean().optional(),
  owner: reference.optional(),
  headers: headers.optional(),
  enabled: enabled.optional(),
}
const hostKind = z.literal('token', {
  error: (issue) =>
    issue.input === 'oauth' ? 'hosts that sign in by OAuth appear by themselves; token' : 'must be token',
})
export const hostShape = {
  title: title.optional(),
  kind: hostKind.optional(),
  owner: reference.optional(),
  enabled: enabled.optional(),
}
/** Keys that are not here belong to the exporter's plugin and are checked by it. */
export const exporterShape = { plugin: slug, headers: headers.optional(), enabled: enabled.optional() }

/** Keys that are not here belong to the engine's kind and are checked by it. */
export const engineShape = { kind: slug }

/** A key of a plugin by such a name holds a secret: it is sealed, never shown, and never written into the file. */
export const isSecretKey = (key: string): boolean => /secret|password|privatekey/i.test(key)

const domain = z
  .string()
  .toLowerCase()
  .regex(/^(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/, 'must be a domain such as example.com')
/** Keys that are not here belong to the plugin of the identity provider and are checked by it. */
export const idpShape = {
  plugin: slug,
  title: title.optional(),
  domains: z.array(domain).max(200).optional(),
  role: reference.nullable().optional(),
  groups: z.record(z.string().min(1).max(256), reference).optional(),
  button: z.boolean().optional(),
  required: z.boolean().optional(),
  breakGlass: z.array(email).max(100).optional(),
  trustDomainVerifiedEmail: z.boolean().optional(),
  trustAssertions: z.boolean().optional(),
  enabled: enabled.optional(),
}

/** Keys that are not here belong to the plugin of the target and are checked by it. */
export const alertTargetShape = {
  plugin: slug,
  minSeverity: z.enum(['info', 'warning', 'error']).optional(),
  types: z.array(z.enum(ALERT_TYPES, { error: (issue) => `no alert is called ${String(issue.input)}` })).optional(),
  gateways: z.array(reference).max(200).optional(),
  enabled: enabled.optional(),
}

export const connectionShape = {
  host: reference,
  gateway: reference,
  user: reference.optional(),
  enabled: enabled.optional(),
}
const label = z.string().trim().min(1).max(100)
const expiresAt = z.iso.datetime({ offset: true, error: 'must be a time such as 2030-01-31T12:00:00Z' })
export const TokenCreate = z.discriminatedUnion(
  'kind',
  [
    strict({
      kind: z.literal('access'),
      gateway: reference,
      host: reference,
      user: reference.optional(),
      label: label.optional(),
      expiresAt: expiresAt.optional(),
    }),
    strict({ kind: z.literal('admin'), label, expiresAt: expiresAt.nullable().optional() }),
  ],
  { error: 'kind must be access or admin' },
)
export const TokenPatch = strict({ label: label.optional(), enabled: enabled.optional() })

const count = z.int().min(1)
/** Schemes that browsers open or run themselves are never an app's own. */
const NO_APP = new Set('http https javascript vbscript data blob file about ftp ws wss view-source'.split(' '))
const privateScheme = z
  .string()
  .regex(/^[a-z][a-z0-9+.-]{0,62}$/, 'must be a scheme in lower case, without the colon')
  .refine((scheme) => !NO_APP.has(scheme), 'is no private scheme of an app')
export const limitShape = {
  requestBody: size.optional(),
  upstreamEvent: size.optional(),
  upstreamBody: size.optional(),
  call: duration.optional(),
  callTotal: duration.optional(),
  list: duration.optional(),
  staleList: duration.optional(),
  engine: duration.optional(),
  sessionsPerUser: count.max(100_000).optional(),
  sessionIdle: duration.optional(),
  listensPerUser: count.max(10_000).optional(),
  stdioProcesses: count.max(10_000).optional(),
  bodyInLog: size.optional(),
  registrations: count.max(100_000).optional(),
  replayMessages: count.max(10_000_000).optional(),
  replayTime: duration.optional(),
  parkedCalls: strict({
    perReplica: count.max(100_000).optional(),
    perUser: count.max(100_000).optional(),
    perServer: count.max(100_000).optional(),
  }).optional(),
}
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex')
const keyName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 characters of a-z, A-Z, 0-9, . _ and -')
const publicKey = z
  .string()
  .max(1_000)
  .refine((text) => readPublicKey(text) !== null, 'must be an Ed25519 public key: base64 of its 32 bytes, or PEM')
/** Keys and digests are replaced whole, so that one can be taken away. */
const ruleModules = strict({
  requireSignature: z.boolean().optional(),
  trustedKeys: z.record(keyName, strict({ publicKey })).optional(),
  revoked: z.array(sha256).max(10_000).optional(),
  keepVersions: count.max(1_000).optional(),
})

/** A version of an artifact: its number, or the digest of its bytes. */
const versionReference = z
  .union([z.int().min(1), z.string()], { error: 'must be a version such as 3, or sha256:<64 hex digits>' })
  .transform((given, context): VersionReference => {
    const read = readVersion(String(given))
    if (read !== null) return read
    context.addIssue({ code: 'custom', message: 'must be a version such as 3, or sha256:<64 hex digits>' })
    return z.NEVER
  })
/** Decoded and not matched: no pattern is for texts of megabytes. */
export const bytes = z
  .string()
  .max(inBase64(MOST_MODULE), `is longer than ${MOST_MODULE} bytes`)
  .transform((text, context): Uint8Array => {
    const decoded = Buffer.from(text, 'base64')
    if (decoded.toString('base64') === text) return decoded
    context.addIssue({ code: 'custom', message: 'must be base64' })
    return z.NEVER
  })
const grants = z.record(z.string(), z.unknown()) as z.ZodType<JsonObject>
const canary = strict({
  version: versionReference,
  percent: z.int().min(1).max(100).optional(),
  shadow: z.boolean().optional(),
}).transform(({ version, percent = 100, shadow = false }, context) => {
  if (!shadow && percent === 100)
    context.addIssue({
      code: 'custom',
      path: ['percent'],
      message: 'of all messages is no canary: make it current, or say shadow',
    })
  return { version, percent, shadow }
})
export type Signature = z.output<typeof Signature>
export const Signature = strict({
  keyId: keyName,
  signature: z.string().regex(/^[A-Za-z0-9+/]{86}==$/, 'must be 64 bytes in base64'),
})
export const artifactShape = { engine: slug, grants: grants.optional() }
export const ArtifactPatch = strict({
  current: z.union([z.literal('previous'), versionReference]).optional(),
  canary: canary.nullable().optional(),
  grants: grants.optional(),
})

/** In a file. Without `file` it is one that was uploaded before. */
const Artifact = strict({
  ...artifactShape,
  file: z.string().max(1_000).refine(isModulePath, 'must end in .wasm or .js').optional(),
  current: versionReference.optional(),
  canary: canary.nullable().optional(),
})

export const Settings = strict({
  audit: z.enum(['fast', 'strict']).optional(),
  retentionDays: strict({
    logs: count.max(3_650).optional(),
    alerts: count.max(3_650).optional(),
    sealed: count.max(3_650).optional(),
  }).optional(),
  defaultRole: reference.optional(),
  refreshReuse: strict({
    seconds: z.int().min(0).max(3_600).optional(),
    uses: count.max(100).optional(),
  }).optional(),
  redirectSchemes: z.array(privateScheme).max(50).optional(),
  clientDocuments: z.boolean().optional(),
  ruleModules: ruleModules.optional(),
  limits: strict(limitShape).optional(),
})

export const Server = strict(serverShape)
export const Gateway = strict(gatewayFileShape)
export const Team = strict(teamShape)
export const User = strict(userShape)
export const Role = strict(roleShape)
export const Identity = strict(identityShape)
export const Host = strict(hostShape)
export const Exporter = z.looseObject(exporterShape)
export const Idp = z.looseObject(idpShape)
export const AlertTarget = z.looseObject(alertTargetShape)
export const Engine = z.looseObject(engineShape)
export const Plugin = strict({ use: z.string().min(1), config: z.record(z.string(), z.unknown()).optional() })

/** The keys of the YAML file, in the order in which `export` writes them. */
export const fileShape = {
  version: z.literal(1, { error: 'must be 1' }),
  plugins: z.array(Plugin).optional(),
  defaultRules: z.array(Rule).max(100).optional(),
  roles: z.record(slug, Role).optional(),
  users: z.record(email, User).optional(),
  teams: z.record(slug, Team).optional(),
  idps: z.record(slug, Idp).optional(),
  servers: z.record(slug, Server).optional(),
  identities: z.record(slug, Identity).optional(),
  engines: z.record(slug, Engine).optional(),
  artifacts: z.record(slug, Artifact).optional(),
  gateways: z.record(slug, Gateway).optional(),
  exporters: z.record(slug, Exporter).optional(),
  alerts: z.record(slug, AlertTarget).optional(),
  hosts: z.record(slug, Host).optional(),
  settings: Settings.optional(),
}
export const File = strict(fileShape)
export type File = z.output<typeof File>
