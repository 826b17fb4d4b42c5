import type {
  ConfigError,
  Evaluation,
  EvaluateRequest,
  HookCall,
  Prepared as Answer,
  PrepareRequest,
} from '@gatehouse/sdk'
import { undecided } from '@gatehouse/sdk'
import type { BuildPool } from './builds.js'
import { createBuilds } from './builds.js'
import type { PluginConfig } from './config.js'
import type { Question, Turn, Workshop } from './evaluate.js'
import { answer } from './evaluate.js'
import { factsOf } from './inputs.js'
import type { Preparing } from './prepare.js'
import { prepareRule, tryUpload } from './prepare.js'
import { questionThen } from './recorded.js'
import { createRisks } from './risks.js'
import type { RuleLog } from './rule-log.js'
import type { Scopes } from './scopes.js'
import type { Prepared, RulePool } from './shelf.js'
import { createShelf } from './shelf.js'

export interface EngineOptions {
  readonly pool: RulePool
  readonly buildPool: BuildPool
  readonly scopes: Scopes
  readonly log: RuleLog
  readonly ceilings: PluginConfig['ceilings']
  readonly now: () => number
}

export interface Engine {
  prepare(request: PrepareRequest): Promise<Answer>
  evaluate(request: EvaluateRequest, call: Pick<HookCall, 'deadline'>): Promise<Evaluation>
  /** Whatever `prepare` gave as `state`; nothing happens at a second time. */
  retire(state: unknown): void
  readonly workshop: Workshop
  readonly preparing: Preparing
}

export function createEngine({ pool, buildPool, scopes, log, ceilings, now }: EngineOptions): Engine {
  let keys = 0
  const nextKey = () => (keys += 1)
  const shelf = createShelf(pool)
  const workshop: Workshop = { pool, shelf, scopes, log, risks: createRisks(now) }
  const preparing: Preparing = { builds: createBuilds(buildPool), ceilings, nextKey }
  /** Those that were not retired. */
  const standing = new Set<Prepared>()

  function retire(state: unknown): void {
    const rule = state as Prepared
    if (!standing.delete(rule)) return
    shelf.takeOff(rule)
    rule.build.release()
  }

  return {
    workshop,
    preparing,
    retire,
    async prepare(request) {
      if (request.isUpload === true) {
        const tried = await tryUpload(preparing, request)
        return tried.ok ? { ok: true, state: null, passes: 1, facts: tried.value } : tried
      }
      const prepared = await prepareRule(preparing, request)
      if (!prepared.ok) return prepared
      const { value: state } = prepared
      standing.add(state)
      // One that is only checked is run by nobody.
      const problem = request.rule === null ? null : await putOn(shelf.put(state))
      if (problem === null) return { ok: true, state, passes: 1, remembers: state.build.module.manifest.stateful }
      retire(state)
      return { ok: false, errors: [problem] }
    },
    async evaluate(request, { deadline }) {
      const question = questionOf(request, { now, nextKey })
      if (typeof question === 'string') return undecided(question)
      const [first, ...rest] = await answer(workshop, { ...question, deadline })
      if (first === undefined) return undecided('no answer')
      return rest.length === 0 ? first : { ...first, rest }
    },
  }
}

const putOn = (putting: Promise<void>): Promise<ConfigError | null> =>
  putting.then(
    () => null,
    (thrown: unknown) => ({
      path: 'module',
      message: `could not be started: ${thrown instanceof Error ? thrown.message : 'unknown'}`,
    }),
  )

interface Sources {
  readonly now: () => number
  readonly nextKey: () => number
}

function questionOf(request: EvaluateRequest, { now, nextKey }: Sources): Question | string {
  const rule = request.state as Prepared
  if (request.recorded !== undefined) return questionThen(request, rule, nextKey())
  const turns = request.chain?.map(({ state, action, shadow }): Turn => ({
    rule: state as Prepared,
    action,
    shadow,
  })) ?? [{ rule, action: rule.action, shadow: false }]
  return { request, facts: factsOf(request, now), turns, stored: null }
}
