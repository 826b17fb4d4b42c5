import type { DataSource } from 'typeorm'
import type { Draft } from '../domain/store.js'
import { DEFAULT_PINNING, DEFAULT_POISONING } from '../domain/provisioning.js'
import type { Gateway, Rule, Server, Stored, User } from '../domain/nouns.js'
import { testDatabase } from '../test/database.js'
import { openDatabase } from './data-source.js'
import type { Sealer } from './repositories/secrets.js'

/** Seals nothing, but binds: what was sealed in one place does not open in another. */
export const fakeVault: Sealer = {
  seal: (plain, context) => JSON.stringify([context, plain]),
  openText: (sealed, context) => {
    const [sealedFor, plain] = JSON.parse(sealed) as [unknown, string]
    if (JSON.stringify(sealedFor) !== JSON.stringify(context)) throw new Error('sealed for another place')
    return plain
  },
}

export const quietLog = { warn: (): void => undefined }

/** A migrated database of its own; `open` gives a second data source on it, as another replica has. */
export async function migratedDatabase(): Promise<{
  readonly url: string
  readonly dataSource: DataSource
  open(): Promise<DataSource>
  drop(): Promise<void>
}> {
  const { url, drop } = await testDatabase()
  const opened: DataSource[] = []
  const open = async (): Promise<DataSource> => {
    const dataSource = await openDatabase(url, { log: quietLog, poolSize: 4 })
    opened.push(dataSource)
    return dataSource
  }
  const dataSource = await open()
  return {
    url,
    dataSource,
    open,
    drop: async () => {
      for (const each of opened) if (each.isInitialized) await each.destroy()
      await drop()
    },
  }
}

const managedBy: Stored['managedBy'] = 'api'

export const serverDraft = (slug: string): Draft<Server> => ({
  managedBy,
  slug,
  title: slug,
  url: `https://${slug}.example.com/mcp`,
  command: null,
  cwd: null,
  env: [],
  auth: 'none',
  headers: [],
  oauth: null,
  protocol: 'auto',
  enabled: true,
})

export const gatewayDraft = (slug: string, more: Partial<Gateway> = {}): Draft<Gateway> => ({
  managedBy,
  slug,
  title: slug,
  formerSlugs: [],
  prefix: 'collision',
  legacySse: false,
  capture: 'redacted',
  pinning: DEFAULT_PINNING,
  poisoning: DEFAULT_POISONING,
  enabled: true,
  teamIds: [],
  assignments: [],
  rules: [],
  ...more,
})

export const userDraft = (email: string, more: Partial<User> = {}): Draft<User> => ({
  managedBy,
  email,
  name: email,
  role: 'member',
  enabled: true,
  ...more,
})

export const ruleDraft = (
  name: string,
  more: Partial<Rule> = {},
): Omit<Rule, 'id' | 'createdAt' | 'updatedAt' | 'gatewayId' | 'position' | 'version'> => ({
  managedBy,
  name,
  engine: 'regex',
  hook: 'both',
  action: 'mask',
  onFailure: 'block',
  alerts: false,
  enabled: true,
  shadow: false,
  servers: [],
  features: [],
  config: { patterns: ['\\d+'] },
  ...more,
})
