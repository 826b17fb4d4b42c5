import { buildRule, runVectors } from '@gatehouse/rule-sandbox'
import { serveTasks } from '@gatehouse/sdk/workers'
import type { BuildTask, BuiltAnswer } from './protocol.js'

serveTasks(async ({ bundle, vectors }: BuildTask): Promise<BuiltAnswer> => {
  const built = await buildRule(bundle)
  if (!built.ok || !vectors) return { built, results: [] }
  return { built, results: await runVectors(built.module) }
})
