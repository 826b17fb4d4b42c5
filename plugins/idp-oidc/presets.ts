/** What is known of a provider: where it is, what it has to be asked for, and what it is like. */
export interface Preset {
  /** The one issuer that it has; null: each customer has their own. */
  readonly issuer: string | null
  /** What a customer's issuer looks like; null: anything. */
  readonly pattern: RegExp | null
  /** The same in words, for whoever got it wrong. */
  readonly example: string
  readonly scopes: readonly string[]
  /** The claim that groups come in; null: it has none. */
  readonly groupsClaim: string | null
  /** What an administrator should know, one sentence each. */
  readonly notes: readonly string[]
}

const PLAIN = ['openid', 'profile', 'email'] as const

export const GENERIC: Preset = {
  issuer: null,
  pattern: null,
  example: 'https://id.example.com',
  scopes: PLAIN,
  groupsClaim: 'groups',
  notes: [],
}

export const PRESETS = {
  okta: {
    ...GENERIC,
    // The address of the admin console is not an issuer.
    pattern: /^https:\/\/(?![^/]*-admin\.okta)[^/]+(?:\/oauth2\/[^/]+)?$/,
    example: 'https://acme.okta.com or https://acme.okta.com/oauth2/default',
    scopes: [...PLAIN, 'groups'],
    notes: ['Groups come only when the app, or its authorization server, has a groups claim with a filter.'],
  },
  entra: {
    ...GENERIC,
    pattern:
      /^https:\/\/login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn)\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/v2\.0$/i,
    example: 'https://login.microsoftonline.com/<tenant id>/v2.0, with the id of one tenant and not "common"',
    notes: [
      'It does not say whether an e-mail address is verified: set trustDomainVerifiedEmail, or add the optional claim xms_edov.',
      'Groups come as object ids, and not at all to people who are in more than 200.',
    ],
  },
  google: {
    ...GENERIC,
    issuer: 'https://accounts.google.com',
    example: 'https://accounts.google.com',
    groupsClaim: null,
    notes: [
      'Only accounts of a Google Workspace are let in, since a private account may bear any address.',
      'It sends no groups and cannot tell that a session has ended.',
    ],
  },
  auth0: {
    ...GENERIC,
    pattern: /^https:\/\/[^/]+\/$/,
    example: 'https://acme.eu.auth0.com/, with the slash at the end',
    groupsClaim: null,
    notes: ['Groups need an action that adds a claim of a namespaced name: say which in groupsClaim.'],
  },
  keycloak: {
    ...GENERIC,
    pattern: /^https?:\/\/.+\/realms\/[^/]+$/,
    example: 'https://id.example.com/realms/acme',
    notes: ['Groups need a mapper "Group Membership"; with full paths they begin with a slash.'],
  },
  jumpcloud: {
    ...GENERIC,
    issuer: 'https://oauth.id.jumpcloud.com/',
    example: 'https://oauth.id.jumpcloud.com/',
    notes: ['Groups come when the app includes them under the name that groupsClaim says.'],
  },
  onelogin: {
    ...GENERIC,
    pattern: /^https:\/\/[^/]+\/oidc\/2$/,
    example: 'https://acme.onelogin.com/oidc/2',
    scopes: [...PLAIN, 'groups'],
    notes: ['Groups are the roles of OneLogin unless the app maps them otherwise.'],
  },
  ping: {
    ...GENERIC,
    pattern: /^https:\/\/[^/]+(?:\/.+[^/])?$/,
    example: 'https://auth.pingone.eu/<environment id>/as',
    notes: ['Groups come when the app maps an attribute to them, under the name that groupsClaim says.'],
  },
} as const satisfies Readonly<Record<string, Preset>>

export type PresetName = keyof typeof PRESETS
