import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Pool } from 'pg'
import { makeHome, type RunningGateway } from '../gateway.js'

const SDK = import.meta.resolve('@gatehouse/sdk')
const ZOD = import.meta.resolve('zod')

/** A home whose operator's file may say `use: ./<name>.mjs` of each of these plugins: files as an integrator writes them. */
export async function homeWith(plugins: Readonly<Record<string, string>>): Promise<string> {
  const home = await makeHome()
  await mkdir(join(home, 'config'))
  for (const [name, setup] of Object.entries(plugins))
    await writeFile(join(home, 'config', `${name}.mjs`), moduleOf(name, setup))
  return home
}

const moduleOf = (id: string, setup: string): string => `
import { block, definePlugin, modify, notMine, pass, undecided } from ${JSON.stringify(SDK)}
import { z } from ${JSON.stringify(ZOD)}

export default definePlugin({
  id: ${JSON.stringify(id)},
  sdk: '^0.1.0',
  config: z.strictObject({ inbox: z.url().optional() }),
  ${setup}
})
`

export interface RaisedAlert {
  readonly type: string
  readonly severity: string
  readonly key: string
  readonly message: string
  readonly count: number
}

/** The alerts as they stand in the database. */
export async function alertsOf({ databaseUrl }: RunningGateway): Promise<readonly RaisedAlert[]> {
  const pool = new Pool({ connectionString: databaseUrl ?? '', max: 1 })
  try {
    const { rows } = await pool.query<RaisedAlert>('select type, severity, key, message, count from alerts')
    return rows
  } finally {
    await pool.end()
  }
}
