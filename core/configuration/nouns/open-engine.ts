import type { OpenedEngine } from '../../domain/engines.js'
import type { Engine } from '../../domain/nouns.js'
import type { Store } from '../../domain/store.js'
import { readSecrets } from '../secrets.js'
import { putTogether } from './plugin-keys.js'

/** An engine with its secrets, as its plugin is to be told. */
export async function openEngine(
  store: Pick<Store, 'secrets'>,
  { id, slug, kind, config }: Engine,
): Promise<OpenedEngine> {
  const sealed = await readSecrets(store, { kind: 'engine', id }, 'config')
  return { id, name: slug, kind, config: putTogether(config, sealed) }
}
