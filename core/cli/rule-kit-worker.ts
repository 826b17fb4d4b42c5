import { parentPort, workerData } from 'node:worker_threads'
import {
  buildRule,
  runVectors,
  type Limits,
  type Problem,
  type RuleBundle,
  type VectorResult,
} from '@gatehouse/rule-sandbox'
import type { RuleVector } from '@gatehouse/sdk/rule-abi'

// The thread that builds and runs a rule for the command line: whatever the rule does, the command goes on.

/** The first thing that it says. */
export interface Report {
  readonly problems: readonly Problem[]
  readonly facts: Readonly<Record<string, string | number | readonly string[]>>
  readonly limits: Limits | null
}
/** What it answers each vector with. */
export type Result = VectorResult

const built = await buildRule(workerData as RuleBundle)
const report: Report = built.ok
  ? { problems: [], facts: built.module.facts, limits: built.module.limits }
  : { problems: built.problems, facts: {}, limits: null }
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(report)

parentPort?.on('message', (vector: RuleVector) => void answer(vector))

async function answer(vector: RuleVector): Promise<void> {
  if (!built.ok) return
  const { module } = built
  const [result] = await runVectors({ ...module, manifest: { ...module.manifest, vectors: [vector] } })
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(result satisfies Result | undefined)
}
