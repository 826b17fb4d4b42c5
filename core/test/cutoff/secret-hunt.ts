import { randomBytes } from 'node:crypto'
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'

/** Every secret of a run, and the search for them in whatever the run has left behind. */
export interface SecretHunt {
  /** A new secret of this name, behind a prefix if it needs one. */
  make(name: string, prefix?: string): string
  /** One that was made elsewhere. */
  keep<S extends string>(name: string, secret: S): S
  readonly names: readonly string[]
  /** Which secrets stand in a text, in any form in which a careless program would write them. */
  foundIn(text: string): readonly string[]
}

export function createSecretHunt(): SecretHunt {
  const secrets = new Map<string, readonly string[]>()
  const keep: SecretHunt['keep'] = (name, secret) => {
    if (secret.length < 12) throw new Error(`'${name}' is too short to be looked for`)
    secrets.set(name, formsOf(secret))
    return secret
  }
  return {
    keep,
    make: (name, prefix = '') => keep(name, prefix + randomBytes(24).toString('base64url')),
    get names() {
      return [...secrets.keys()]
    },
    foundIn: (text) =>
      [...secrets].filter(([, forms]) => forms.some((form) => text.includes(form))).map(([name]) => name),
  }
}

/** Itself, in hex, in percent signs, and in Base64 wherever it begins in a group of three. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64url')
    // What stands beside it decides over the signs at the ends.
    return text.slice(shift === 0 ? 0 : shift + 1, -4)
  })
  return [secret, bytes.toString('hex'), encodeURIComponent(secret), ...base64.filter((form) => form.length >= 12)]
}

/** Each row of each table, as text: named `<table>`. */
export async function dumpOf(databaseUrl: string): Promise<ReadonlyMap<string, string>> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')`,
  )
  const dump = new Map<string, string>()
  for (const { name } of rows) {
    const { rows: lines } = await client.query<{ line: string }>(`select row::text as line from ${name} row`)
    dump.set(name, lines.map(({ line }) => line).join('\n'))
  }
  await client.end()
  return dump
}

/** What PostgreSQL's own tool writes; null where it is not installed or is older than the server. */
export function pgDumpOf(databaseUrl: string): string | null {
  if (spawnSync('pg_dump', ['--version']).status !== 0) return null
  try {
    return execFileSync('pg_dump', ['--no-owner', databaseUrl], { encoding: 'utf8', maxBuffer: 2 ** 30, stdio: 'pipe' })
  } catch {
    return null
  }
}

/** All files under a folder, as they are. */
export function filesUnder(dir: string): ReadonlyMap<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'latin1')]),
  )
}

interface Paths {
  readonly paths: Readonly<Record<string, { readonly get?: unknown }>>
}

/** Everything that the admin API shows: each list, each thing in it, each part of each thing. */
export async function apiAnswers(read: (path: string) => Promise<string>): Promise<ReadonlyMap<string, string>> {
  const answers = new Map<string, string>()
  const all = Object.entries((JSON.parse(await read('/openapi.json')) as Paths).paths)
  const readable = all.filter(([, { get }]) => get !== undefined).map(([path]) => path.replace(/^\/api\/v1/, ''))
  const walk = async (path: string): Promise<void> => {
    if (answers.has(path) || /tail|events/.test(path)) return
    const text = await read(path).catch((thrown: unknown) => String(thrown))
    answers.set(path, text)
    const items = text.startsWith('{') ? (JSON.parse(text) as { items?: readonly { id?: string }[] }).items : undefined
    for (const { id } of items ?? [])
      for (const below of readable)
        if (new RegExp(`^${pattern(below)}$`).test(`${path}/${id}`) || isPartOf(below, `${path}/${id}`))
          await walk(below.replace(/^.*?\{[^}]+\}/, `${path}/${id}`))
  }
  for (const path of readable.filter((one) => !one.includes('{'))) await walk(path)
  return answers
}

const pattern = (path: string) => path.replaceAll(/\{[^}]+\}/g, '[^/]+')
/** `/gateways/{id}/rules` of `/gateways/<id>`. */
const isPartOf = (below: string, thing: string) =>
  /\{[^}]+\}\/[^{]+$/.test(below) && new RegExp(`^${pattern(below.replace(/\/[^/{]+$/, ''))}$`).test(thing)
