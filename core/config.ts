import { z } from 'zod'
import { GatehouseError } from './errors.js'

const list = z
  .string()
  .default('')
  .transform((text) =>
    Object.freeze(
      text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    ),
  )
const optional = z.string().optional()
const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a number from 0 to 65535')
  .transform(Number)
  .refine((value) => value <= 65_535, 'must be a number from 0 to 65535')
/** A base URL in its one spelling: scheme, host and port alone. */
const baseUrl = z
  .string()
  .refine(isBaseUrl, 'must be an http or https URL without user, path, query and fragment')
  .transform((text) => new URL(text).origin)
  .optional()

function isBaseUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false
  const { username, password, pathname, search, hash } = new URL(text)
  return pathname === '/' && [username, password, search, hash].every((part) => part === '') && !/[?#]$/.test(text)
}

/** The environment, see `docs/configuration.md`. Empty strings count as unset. */
const Environment = z.object({
  PORT: port.default(4000),
  HOST: z.string().default('localhost'),
  GATEHOUSE_URL: baseUrl,
  GATEHOUSE_HOME: z.string().default('.gatehouse'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
  GATEHOUSE_MASTER_KEY: optional,
  GATEHOUSE_MASTER_KEY_FILE: optional,
  GATEHOUSE_CONFIG: optional,
  GATEHOUSE_EGRESS_ALLOW: list,
  GATEHOUSE_STDIO: z.enum(['on', 'off']).default('off'),
  GATEHOUSE_TLS_CERT: optional,
  GATEHOUSE_TLS_KEY: optional,
  GATEHOUSE_TRUSTED_PROXIES: list,
  GATEHOUSE_REPLICA_URL: baseUrl,
  GATEHOUSE_SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' }).optional(),
  GATEHOUSE_MAIL_FROM: optional,
  HTTPS_PROXY: optional,
  NO_PROXY: optional,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})

export interface Config {
  readonly port: number
  readonly host: string
  /** Without a trailing slash; null until the port is known when `PORT=0` and no URL was given. */
  readonly url: string | null
  readonly home: string
  readonly databaseUrl: string | null
  readonly masterKey: string | null
  readonly masterKeyFile: string | null
  readonly file: string | null
  readonly egressAllow: readonly string[]
  readonly stdio: boolean
  readonly tls: { readonly cert: string; readonly key: string } | null
  readonly trustedProxies: readonly string[]
  readonly replicaUrl: string | null
  /** Where mail goes out, and from whom; without both none is sent. The URL may hold a password: never log it. */
  readonly mail: { readonly url: string; readonly from: string } | null
  readonly httpsProxy: string | null
  readonly noProxy: string | null
  readonly logLevel: string
}

/** Reads the environment into a frozen `Config`; an error names the variable and what it should be. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = Environment.safeParse(present)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new GatehouseError('GH_CONFIG_INVALID', { message: `${issue?.path.join('.')}: ${issue?.message}` })
  }
  const e = parsed.data
  if ((e.GATEHOUSE_TLS_CERT === undefined) !== (e.GATEHOUSE_TLS_KEY === undefined))
    throw new GatehouseError('GH_CONFIG_INVALID', { message: 'GATEHOUSE_TLS_CERT and GATEHOUSE_TLS_KEY come together' })
  if ((e.GATEHOUSE_SMTP_URL === undefined) !== (e.GATEHOUSE_MAIL_FROM === undefined))
    throw new GatehouseError('GH_CONFIG_INVALID', {
      message: 'GATEHOUSE_SMTP_URL and GATEHOUSE_MAIL_FROM come together',
    })
  const scheme = e.GATEHOUSE_TLS_CERT === undefined ? 'http' : 'https'
  return Object.freeze({
    port: e.PORT,
    host: e.HOST,
    url: e.GATEHOUSE_URL ?? (e.PORT === 0 ? null : `${scheme}://localhost:${e.PORT}`),
    home: e.GATEHOUSE_HOME,
    databaseUrl: e.DATABASE_URL ?? null,
    masterKey: e.GATEHOUSE_MASTER_KEY ?? null,
    masterKeyFile: e.GATEHOUSE_MASTER_KEY_FILE ?? null,
    file: e.GATEHOUSE_CONFIG ?? null,
    egressAllow: e.GATEHOUSE_EGRESS_ALLOW,
    stdio: e.GATEHOUSE_STDIO === 'on',
    tls:
      e.GATEHOUSE_TLS_CERT !== undefined && e.GATEHOUSE_TLS_KEY !== undefined
        ? Object.freeze({ cert: e.GATEHOUSE_TLS_CERT, key: e.GATEHOUSE_TLS_KEY })
        : null,
    trustedProxies: e.GATEHOUSE_TRUSTED_PROXIES,
    replicaUrl: e.GATEHOUSE_REPLICA_URL ?? null,
    mail:
      e.GATEHOUSE_SMTP_URL !== undefined && e.GATEHOUSE_MAIL_FROM !== undefined
        ? Object.freeze({ url: e.GATEHOUSE_SMTP_URL, from: e.GATEHOUSE_MAIL_FROM })
        : null,
    httpsProxy: e.HTTPS_PROXY ?? null,
    noProxy: e.NO_PROXY ?? null,
    logLevel: e.LOG_LEVEL,
  })
}
