import type { Store } from '../domain/store.js'

export interface Owner {
  readonly kind: 'server' | 'identity' | 'exporter' | 'idp' | 'engine' | 'alertTarget'
  readonly id: string
}
export type Values = Readonly<Record<string, string>>

/** Makes the sealed fields `<group>.<name>` of an owner be exactly these; what stands there already is left alone. */
export async function keepSecrets(store: Store, owner: Owner, group: string, values: Values): Promise<void> {
  const stored = await readSecrets(store, owner, group)
  for (const name of Object.keys(stored))
    if (!Object.hasOwn(values, name)) await store.secrets.remove(owner, `${group}.${name}`)
  for (const [name, value] of Object.entries(values))
    if (!Object.hasOwn(stored, name) || stored[name] !== value)
      await store.secrets.put(owner, `${group}.${name}`, value)
}

export async function readSecrets(store: Pick<Store, 'secrets'>, owner: Owner, group: string): Promise<Values> {
  const prefix = `${group}.`
  const fields = Object.entries(await store.secrets.fields(owner))
  return Object.fromEntries(
    fields.flatMap(([field, value]) => (field.startsWith(prefix) ? [[field.slice(prefix.length), value]] : [])),
  )
}
