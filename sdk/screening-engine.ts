import { z } from 'zod'
import type {
  ConfigError,
  EngineDeclaration,
  EngineInstance,
  EvaluateRequest,
  Evaluation,
  Prepared,
  PrepareRequest,
  TestAnswer,
  TestRequest,
} from './engine.js'
import type { HookCall } from './hooks.js'
import type { PluginContext } from './plugin.js'
import { screen, testMessage } from './screening.js'
import type { Piece, PiecesAnswer, ScreeningLimits } from './screening.js'

/** How one question is asked. */
export interface Asking {
  readonly leg: 'request' | 'response'
  readonly signal: AbortSignal
  /** Milliseconds since the epoch at which an answer is too late. */
  readonly until: number
  readonly retries: boolean
  /** For whoever tries the engine; nothing of the message. */
  readonly note: (text: string) => void
}

/** An outside service that looks at texts, as one instance configures it. It lives as long as the rule that was prepared. */
export type TextService = (pieces: readonly Piece[], asking: Asking) => Promise<PiecesAnswer>

export interface ScreeningOptions<Config> {
  /** Schema of one instance. */
  readonly instance: z.ZodType<Config>
  readonly limits: ScreeningLimits
  readonly open: (config: Config) => TextService
}

interface ScreeningEngine {
  prepare(request: PrepareRequest): Prepared
  evaluate(request: EvaluateRequest, call: HookCall): Promise<Evaluation>
  test(request: TestRequest, call: HookCall): Promise<TestAnswer>
}

/** What all such engines declare: a rule has no keys of its own, and no action but `detect`. */
const SCREENING: EngineDeclaration = {
  rule: z.strictObject({}),
  answers: 'verdict',
  fails: true,
  whole: false,
}

/** Serves every hook of such an engine under a kind. `secret` names the keys of an instance that are sealed. */
export function serveScreening<Config>(
  context: Pick<PluginContext<unknown>, 'serve'>,
  kind: string,
  options: ScreeningOptions<Config> & { readonly secret: readonly string[] },
): void {
  const engine = createScreeningEngine(options)
  const { instance: config, secret } = options
  context.serve('engine.prepare', kind, engine.prepare, { config, secret, engine: SCREENING })
  context.serve('engine.evaluate', kind, engine.evaluate)
  context.serve('engine.test', kind, engine.test)
  context.serve('engine.retire', kind, () => {})
}

/** What is kept of the time for the way back, so that lateness is told by the engine and not by whoever waits for it. */
const RESERVE_MS = 50

/** An engine before an outside service that looks at texts and answers what shall become of them. */
function createScreeningEngine<Config>(options: ScreeningOptions<Config>): ScreeningEngine {
  const { limits } = options
  return {
    prepare({ config, action, instance }) {
      const opened = open(options, { config, action, instance })
      return opened.ok ? { ok: true, state: opened.service, passes: 1 } : opened
    },
    evaluate({ state, leg, leaves, rewrite }, { signal, deadline }) {
      const service = state as TextService
      const asking = { leg, signal, until: deadline - RESERVE_MS, retries: true, note: () => {} }
      return screen({ leaves, rewrite, limits, ask: (pieces) => service(pieces, asking) })
    },
    async test({ config, action, instance, leg, text }, { signal, deadline }) {
      const opened = open(options, { config, action, instance })
      if (!opened.ok) return opened
      const notes: string[] = []
      const note = (line: string) => void (notes.length < MOST_NOTES && notes.push(line))
      const asking = { leg, signal, until: deadline - RESERVE_MS, retries: false, note }
      const ask = (pieces: readonly Piece[]) => opened.service(pieces, asking)
      const evaluation = await screen({ ...testMessage(leg, text), limits, ask })
      return { ok: true, evaluation, notes }
    },
  }
}

const MOST_NOTES = 20

type Opened =
  { readonly ok: true; readonly service: TextService } | { readonly ok: false; readonly errors: readonly ConfigError[] }

function open<Config>(
  options: ScreeningOptions<Config>,
  {
    config,
    action,
    instance,
  }: Pick<PrepareRequest, 'config' | 'action'> & { readonly instance: EngineInstance | null },
): Opened {
  if (instance === null) return refused({ message: 'a rule names such an engine by the name it is registered under' })
  if (action !== null && action !== 'detect')
    return refused({ message: 'the engine decides what happens: no action but detect', path: 'action' })
  const own = SCREENING.rule.safeParse(config)
  if (!own.success) return refused(...own.error.issues.map(toError))
  const parsed = options.instance.safeParse(instance.config)
  if (!parsed.success) return refused(...parsed.error.issues.map(toError))
  return { ok: true, service: options.open(parsed.data) }
}

const refused = (...errors: readonly ConfigError[]): Opened => ({ ok: false, errors })
const toError = ({ message, path }: z.core.$ZodIssue): ConfigError => ({ message, path: path.join('.') })
