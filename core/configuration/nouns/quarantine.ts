import type { Rule } from '../../domain/nouns.js'
import type { Store } from '../../domain/store.js'
import { absent, conflict } from '../work.js'
import type { Work } from '../work.js'

/** A rule by its id alone, and whose it is. */
export async function ruleById(
  store: Pick<Store, 'gateways'>,
  id: string,
): Promise<{ readonly rule: Rule; readonly gatewayId: string }> {
  for (const gateway of await store.gateways.all()) {
    const rule = gateway.rules.find((one) => one.id === id)
    if (rule !== undefined) return { rule, gatewayId: gateway.id }
  }
  throw absent('rule', id)
}

/** It is run again, every version of it. Whoever manages the rule: nothing that the file says is changed. */
export async function releaseRule({ store }: Pick<Work, 'store'>, id: string): Promise<Rule> {
  const { rule } = await ruleById(store, id)
  if ((await store.quarantines.release(id)) === 0) throw conflict(`the rule '${rule.name}' is not in quarantine`)
  return rule
}
