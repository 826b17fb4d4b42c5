import { buildRule, runVectors, whyNotOpened } from '@gatehouse/rule-sandbox'
import { serveTasks } from '@gatehouse/sdk/workers'
import type { BuildTask, BuiltAnswer } from './protocol.js'

serveTasks(async ({ bundle, vectors }: BuildTask): Promise<BuiltAnswer> => {
  const built = await buildRule(bundle)
  if (!built.ok || !vectors) return { built, results: [] }
  const why = await whyNotOpened(built.module)
  if (why !== null) return { built: { ok: false, problems: [{ message: why }] }, results: [] }
  return { built, results: await runVectors(built.module) }
})
