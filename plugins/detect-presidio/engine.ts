import { pass, undecided } from '@gatehouse/sdk'
import type {
  ConfigError,
  EvaluateRequest,
  Evaluation,
  HookCall,
  Leaf,
  PluginContext,
  Prepared,
  PrepareRequest,
  TestAnswer,
  TestRequest,
} from '@gatehouse/sdk'
import { analyze, ask } from './analyze.js'
import type { Analysis, State } from './analyze.js'
import { Supported } from './answer.js'
import { Instance, ruleConfig } from './config.js'
import { partsOf } from './texts.js'

type World = Pick<PluginContext<unknown>, 'fetch'>

export interface PresidioEngine {
  prepare(request: Pick<PrepareRequest, 'config' | 'action' | 'instance'>): Prepared
  evaluate(request: Pick<EvaluateRequest, 'state' | 'leaves'>, call: HookCall): Promise<Evaluation>
  test(request: Pick<TestRequest, 'config' | 'action' | 'instance' | 'text'>, call: HookCall): Promise<TestAnswer>
}

/** What is kept of the time for the way back, so that lateness is told by us and not by whoever waits for us. */
const RESERVE_MS = 50

export function createEngine({ fetch }: World): PresidioEngine {
  return {
    prepare(request) {
      const checked = check(request)
      return checked.ok ? { ok: true, state: checked.state, passes: 1 } : checked
    },
    evaluate: ({ state, leaves }, call) =>
      evaluate({ fetch, retries: true, ...limitsOf(state as State, call) }, state as State, leaves),
    async test(request, call) {
      const checked = check(request)
      if (!checked.ok) return checked
      const { state } = checked
      const analysis = { fetch, retries: false, ...limitsOf(state, call) }
      const started = performance.now()
      const evaluation = await evaluate(analysis, state, [{ kind: 'value', text: request.text }])
      const ms = Math.round(performance.now() - started)
      const said = evaluation.verdict === 'undecided' ? `no answer that counts: ${evaluation.message}` : 'answered'
      return { ok: true, evaluation, notes: [`${said}, after ${ms} ms`, ...(await notesOn(analysis, state))] }
    },
  }
}

type Checked =
  { readonly ok: true; readonly state: State } | { readonly ok: false; readonly errors: readonly ConfigError[] }

function check({ config, action, instance }: Pick<PrepareRequest, 'config' | 'action' | 'instance'>): Checked {
  if (instance === null)
    return refused({ message: 'a rule names a Presidio engine by the name it is registered under' })
  if (action === null)
    return refused({ path: 'action', message: 'a rule that looks for personal data needs an action' })
  const own = ruleConfig.safeParse(config)
  if (!own.success) return refused(...own.error.issues.map(toError))
  const given = Instance.safeParse(instance.config)
  if (!given.success) return refused(...given.error.issues.map(toError))
  const { entities = [], threshold, language } = own.data
  const wanted = { threshold, entities: entities.length === 0 ? null : new Set(entities) }
  return {
    ok: true,
    state: { instance: given.data, language: language ?? given.data.language, wanted, takesOne: false },
  }
}

const refused = (...errors: readonly ConfigError[]): Checked => ({ ok: false, errors })
const toError = ({ message, path }: { message: string; path: readonly PropertyKey[] }): ConfigError => ({
  message,
  path: path.join('.'),
})

const limitsOf = ({ instance }: State, { deadline, signal }: HookCall) => ({
  signal,
  until: Math.min(Date.now() + instance.timeoutMs, deadline - RESERVE_MS),
})

async function evaluate(analysis: Analysis, state: State, leaves: readonly Leaf[]): Promise<Evaluation> {
  const parts = partsOf(leaves)
  if (parts.length === 0) return pass()
  const analyzed = await analyze(analysis, state, parts)
  if (!analyzed.ok) return undecided(analyzed.text)
  return analyzed.findings.length === 0 ? pass() : { verdict: 'findings', findings: analyzed.findings }
}

/** What the analyzer can find, and what of the rule it cannot: it skips in silence what it has no recogniser for. */
async function notesOn(analysis: Analysis, state: State): Promise<readonly string[]> {
  const path = `/supportedentities?language=${encodeURIComponent(state.language)}`
  const answer = await ask(analysis, state.instance, path)
  const supported = answer.ok ? Supported.safeParse(answer.json) : null
  if (supported === null || !supported.success) return ['it did not say which entities it knows']
  const known = new Set(supported.data)
  const missing = [...(state.wanted.entities ?? [])].filter((entity) => !known.has(entity))
  const notes = [`it knows ${known.size} entities in the language ${state.language}`]
  return missing.length === 0 ? notes : [...notes, `it does not know ${missing.slice(0, 20).join(', ')}`]
}
