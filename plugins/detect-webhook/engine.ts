import { block, exchange, modify, never, pass, undecided } from '@gatehouse/sdk'
import type {
  ConfigError,
  EngineInstance,
  EvaluateRequest,
  Evaluation,
  Exchanged,
  HookCall,
  PluginContext,
  Prepared,
  PrepareRequest,
  TestAnswer,
  TestRequest,
} from '@gatehouse/sdk'
import type { WebhookRequest } from '@gatehouse/sdk/webhook'
import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import { Instance, ruleConfig } from './config.js'
import { envelopeOf, sampleOf } from './envelope.js'
import type { Asker } from './envelope.js'
import { MOST_BYTES, questionOf } from './exchange.js'
import { readBody } from './modified.js'
import { readVerdict } from './verdict.js'

/** A prepared rule. */
interface State {
  readonly instance: Instance
  readonly asker: Asker
}

export interface WebhookEngine {
  prepare(request: PrepareRequest): Prepared
  evaluate(request: EvaluateRequest, call: HookCall): Promise<Evaluation>
  test(request: TestRequest, call: HookCall): Promise<TestAnswer>
}

/** What is kept of the time for the way back, so that lateness is told by us and not by whoever waits for us. */
const RESERVE_MS = 50

export function createEngine(context: Pick<PluginContext<unknown>, 'fetch' | 'log' | 'now'>): WebhookEngine {
  return {
    prepare: ({ config, action, instance, rule }) => {
      const checked = check(config, action, instance)
      if (!checked.ok) return checked
      const asker = { engineId: checked.id, ruleId: rule?.id ?? null }
      return { ok: true, state: { instance: checked.instance, asker } satisfies State, passes: 1 }
    },

    async evaluate(request, call) {
      const { instance, asker } = request.state as State
      const envelope = envelopeOf(asker, request, context.now())
      const json = JSON.stringify(envelope)
      if (isTooLarge(json)) return undecided(TOO_LARGE)
      const forwarded = forwardedOf(instance, request.header)
      const exchanged = await exchange(context.fetch, {
        ...questionOf({ instance, forwarded, json, now: context.now }),
        signal: call.signal,
        until: untilOf(instance, call),
        onRetry: tellOf(context, { ...asker, correlationId: request.context.correlationId }),
      })
      return read(exchanged, envelope).evaluation
    },

    async test({ config, action, instance: given, leg, text }, call) {
      const checked = check(config, action, given)
      if (!checked.ok) return checked
      const { instance, id } = checked
      const sample = sampleOf(leg, text, randomUUID())
      const envelope = envelopeOf({ engineId: id, ruleId: null }, sample, context.now())
      const json = JSON.stringify(envelope)
      if (isTooLarge(json)) return { ok: true, evaluation: undecided(TOO_LARGE), notes: [TOO_LARGE] }
      const started = performance.now()
      const exchanged = await exchange(context.fetch, {
        ...questionOf({ instance, forwarded: {}, json, now: context.now }),
        signal: call.signal,
        until: untilOf(instance, call),
        retries: false,
      })
      const ms = Math.round(performance.now() - started)
      const { evaluation, note } = read(exchanged, envelope)
      return { ok: true, evaluation, notes: [noteOn(exchanged, ms), note] }
    },
  }
}

const TOO_LARGE = `the message is over the limit of ${MOST_BYTES} bytes and was not sent`
const isTooLarge = (json: string) => json.length > MOST_BYTES / 3 && Buffer.byteLength(json) > MOST_BYTES

type Checked =
  | { readonly ok: true; readonly instance: Instance; readonly id: string }
  | { readonly ok: false; readonly errors: readonly ConfigError[] }

function check(config: unknown, action: PrepareRequest['action'], given: EngineInstance | null): Checked {
  if (given === null) return refused({ message: 'a rule names a webhook engine by the name it is registered under' })
  if (action !== null && action !== 'detect')
    return refused({ message: 'the engine decides what happens: no action but detect', path: 'action' })
  const own = ruleConfig.safeParse(config)
  if (!own.success) return refused(...own.error.issues.map(toError))
  const instance = Instance.safeParse(given.config)
  if (!instance.success) return refused(...instance.error.issues.map(toError))
  return { ok: true, instance: instance.data, id: given.id }
}

const refused = (...errors: readonly ConfigError[]): Checked => ({ ok: false, errors })
const toError = ({ message, path }: z.core.$ZodIssue): ConfigError => ({ message, path: path.join('.') })

type Told = Asker & { readonly correlationId: string }

function tellOf({ log }: Pick<PluginContext<unknown>, 'log'>, { engineId, ruleId, correlationId }: Told) {
  const who = { rule_engine_id: engineId, rule_id: ruleId, correlation_id: correlationId }
  return (attempt: number, reason: string) => log.debug({ ...who, attempt, reason }, 'the engine is asked again')
}

const untilOf = ({ timeoutMs }: Instance, { deadline }: HookCall) =>
  Math.min(Date.now() + timeoutMs, deadline - RESERVE_MS)

function forwardedOf({ forwardHeaders }: Instance, header: EvaluateRequest['header']): Record<string, string> {
  const forwarded: Record<string, string> = {}
  for (const name of forwardHeaders) {
    const value = header(name.toLowerCase())
    if (value !== undefined) forwarded[name.toLowerCase()] = value
  }
  return forwarded
}

interface Read {
  readonly evaluation: Evaluation
  /** The same for a person. What an engine says of an error stands here alone: it may repeat the message. */
  readonly note: string
}

/** Whatever is not a whole and valid verdict is undecided: the rule's `onFailure` decides. */
function read(exchanged: Exchanged, { body, metadata }: WebhookRequest): Read {
  if (!exchanged.ok) return undecidedAs(exchanged.message)
  const said = readVerdict(exchanged.response.body)
  if ('invalid' in said) return undecidedAs(said.invalid)
  switch (said.verdict) {
    case 'pass':
      return { evaluation: pass(), note: 'verdict: pass' }
    case 'block':
      return { evaluation: block(said.reason), note: `verdict: block${said.reason && `, ${said.reason}`}` }
    case 'error':
      return {
        evaluation: undecided('the engine answered that it could not decide'),
        note: `verdict: error${said.message && `, ${said.message}`}`,
      }
    case 'modify': {
      const replacement = readBody(said.body, body, metadata.method)
      if ('invalid' in replacement) return undecidedAs(replacement.invalid)
      // Only numbers grow when they are written anew, and not beyond eight times.
      const mayBe = exchanged.response.body.length > MOST_BYTES / 8
      if (mayBe && isTooLarge(JSON.stringify(replacement.message)))
        return undecidedAs('modifiedPayload.body is over the limit')
      return { evaluation: modify({ message: replacement.message }), note: 'verdict: modify' }
    }
    default:
      return never(said)
  }
}

const undecidedAs = (why: string): Read => ({ evaluation: undecided(why), note: `undecided: ${why}` })

function noteOn(exchanged: Exchanged, ms: number): string {
  const status = exchanged.ok ? exchanged.response.status : exchanged.status
  return status === null ? `no answer that counts, after ${ms} ms` : `HTTP ${status} in ${ms} ms`
}
