import { z } from 'zod'
import { GENERIC, PRESETS, type Preset, type PresetName } from './presets.js'

const names = Object.keys(PRESETS) as [PresetName, ...PresetName[]]
const text = z.string().min(1).max(2048)

/** One identity provider as the administrator describes it. What is left out comes from the preset. */
export const Provider = z
  .strictObject({
    preset: z.enum(names).optional(),
    /** Exactly as the provider writes it in its own metadata. */
    issuer: z.url({ protocol: /^https?$/ }).optional(),
    clientId: text,
    /** Without it the client is a public one, which PKCE alone protects. */
    clientSecret: text.optional(),
    /** How the secret is sent; what the provider says it takes, unless told. */
    tokenAuth: z.enum(['basic', 'post']).optional(),
    /** Instead of those of the preset; `openid` is always asked for. */
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'is not a scope'))
      .max(30)
      .optional(),
    groupsClaim: text.optional(),
    /** Google alone: the Workspace that people must be of. */
    hostedDomain: text.toLowerCase().optional(),
    /** `acr_values`: how strongly people are to be authenticated; the answer must name one of them. */
    acrValues: z.array(text).max(10).optional(),
  })
  .superRefine((given, context) => {
    const preset: Preset = given.preset === undefined ? GENERIC : PRESETS[given.preset]
    const wrong = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message })
    const { issuer } = given
    if (given.hostedDomain !== undefined && given.preset !== 'google')
      wrong('hostedDomain', 'is of the preset google alone')
    if (issuer === undefined) {
      if (preset.issuer === null) wrong('issuer', `is needed, such as ${preset.example}`)
      return
    }
    const { protocol, hostname, username, search, hash } = new URL(issuer)
    if (username !== '' || search !== '' || hash !== '') wrong('issuer', 'must have no user, query or fragment')
    if (protocol === 'http:' && !isLoopback(hostname)) wrong('issuer', 'must be https')
    if (preset.issuer !== null && issuer !== preset.issuer) wrong('issuer', `of this preset is ${preset.issuer}`)
    if (preset.pattern !== null && !preset.pattern.test(issuer)) wrong('issuer', `must be like ${preset.example}`)
  })

export type ProviderConfig = z.output<typeof Provider>

/** A configuration with all that its preset adds. */
export interface Settled {
  readonly preset: PresetName | null
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | null
  readonly tokenAuth: 'basic' | 'post' | null
  readonly scope: string
  readonly groupsClaim: string | null
  readonly hostedDomain: string | null
  readonly acrValues: readonly string[]
  readonly notes: readonly string[]
}

export function settle(config: Readonly<Record<string, unknown>>): Settled {
  const given = Provider.parse(config)
  const preset: Preset = given.preset === undefined ? GENERIC : PRESETS[given.preset]
  return {
    preset: given.preset ?? null,
    issuer: given.issuer ?? preset.issuer ?? '',
    clientId: given.clientId,
    clientSecret: given.clientSecret ?? null,
    tokenAuth: given.tokenAuth ?? null,
    scope: [...new Set(['openid', ...(given.scopes ?? preset.scopes)])].join(' '),
    groupsClaim: given.groupsClaim ?? preset.groupsClaim,
    hostedDomain: given.hostedDomain ?? null,
    acrValues: given.acrValues ?? [],
    notes: preset.notes,
  }
}

export const isLoopback = (hostname: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
