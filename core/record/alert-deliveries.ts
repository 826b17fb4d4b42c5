import type { Alert, AlertDelivery, DeliveryAnswer, PluginLog } from '@gatehouse/sdk'
import { randomUUID } from 'node:crypto'
import type { AlertMessage, AlertQueue } from '../domain/alerts.js'
import { clip } from '../domain/clip.js'
import { FLOOD_LIMITS, type FloodLimits } from '../domain/flood.js'
import { scrubText } from '../domain/scrub.js'
import { deliveryOf, sampleAlert } from './alert-message.js'

/** A target as it is now, with the secrets of its configuration. */
export interface Target {
  readonly id: string
  readonly name: string
  readonly plugin: string
  readonly config: Readonly<Record<string, unknown>>
  /** Texts that no failure may be told with. */
  readonly secrets: readonly string[]
}

export interface DeliveryTiming extends FloodLimits {
  readonly pollMs: number
  readonly leaseMs: number
  /** The first pause before another try, and the longest; each is twice the one before. */
  readonly pauseMs: readonly [number, number]
  /** For so long is tried again what the receiver could not take, and so often what it refused. */
  readonly patienceMs: number
  readonly mostRefusals: number
}

export interface AlertDeliveriesOptions {
  readonly queue: AlertQueue
  readonly target: (id: string) => Promise<Target | null>
  readonly deliver: (plugin: string, delivery: AlertDelivery) => Promise<DeliveryAnswer>
  readonly raise: (alert: Alert) => void
  readonly resolve: (type: Alert['type'], key: string) => void
  /** The public base URL, without a trailing slash. */
  readonly url: () => string
  readonly service: AlertDelivery['service']
  readonly logger: Pick<PluginLog, 'warn' | 'error'>
  readonly timing?: Partial<DeliveryTiming>
}

/** Carries alerts to their targets: at least once, each target at its own pace, in the order of the queue. */
export interface AlertDeliveries {
  start(): void
  /** Something was queued. */
  wake(): void
  /** Sends a sample now, past the queue. */
  test(targetId: string): Promise<DeliveryAnswer>
  stop(): Promise<void>
}

const DEFAULT_TIMING: DeliveryTiming = {
  ...FLOOD_LIMITS,
  pollMs: 1_000,
  leaseMs: 60_000,
  pauseMs: [2_000, 300_000],
  patienceMs: 86_400_000,
  mostRefusals: 5,
}
/** A receiver that fails so often in a row is told of, elsewhere. */
const WORTH_TELLING = 5
const LONGEST_WAIT = 3_600_000
const LONGEST_FAILURE = 500

export function createAlertDeliveries(options: AlertDeliveriesOptions): AlertDeliveries {
  const { queue, logger } = options
  const timing = { ...DEFAULT_TIMING, ...options.timing }
  const running = new Map<string, Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let isStopped = false

  const run = async (targetId: string): Promise<void> => {
    while (!isStopped) {
      const message = await queue.claim(targetId, timing)
      if (message === null) return
      await carry(targetId, message, { options, timing })
    }
  }
  const look = async (): Promise<void> => {
    for (const id of await queue.due(timing)) {
      if (isStopped || running.has(id)) continue
      const done = run(id)
        .catch((thrown: unknown) => logger.warn({ target: id, error: String(thrown) }, 'alerts wait to be delivered'))
        .finally(() => running.delete(id))
      running.set(id, done)
    }
  }
  const lookNow = (): void => {
    if (isStopped || timer === undefined) return
    looking ??= look()
      .catch((thrown: unknown) => logger.warn({ error: String(thrown) }, 'the queue of alerts cannot be read'))
      .finally(() => (looking = undefined))
  }

  return {
    start() {
      timer = setInterval(lookNow, timing.pollMs)
      timer.unref()
      lookNow()
    },
    wake: lookNow,
    async test(targetId) {
      const target = await options.target(targetId)
      if (target === null) return { kind: 'rejected', message: 'It is gone.' }
      const { id, name, plugin, config } = target
      const envelope = {
        id: randomUUID(),
        target: { id, name, config },
        attempt: 1,
        isTest: true,
        service: options.service,
      }
      const alert = sampleAlert(new Date(), options.url())
      return withoutSecrets(await options.deliver(plugin, { ...envelope, kind: 'alert', alert }), target)
    },
    async stop() {
      isStopped = true
      clearInterval(timer)
      await looking
      await Promise.all(running.values())
    },
  }
}

interface Way {
  readonly options: AlertDeliveriesOptions
  readonly timing: DeliveryTiming
}

async function carry(targetId: string, message: AlertMessage, way: Way): Promise<void> {
  const { queue, deliver, service, url, resolve } = way.options
  const target = await way.options.target(targetId)
  if (target === null) return
  const { id, name, plugin, config } = target
  const envelope = { id: message.id, target: { id, name, config }, attempt: message.attempt, isTest: false, service }
  const delivery = deliveryOf(envelope, message, url())
  const answer: DeliveryAnswer =
    delivery === null ? { kind: 'delivered' } : withoutSecrets(await deliver(plugin, delivery), target)
  if (answer.kind !== 'delivered') return failed(target, message, { answer, way })
  await queue.delivered(targetId, message.id)
  if (message.wasFailing) resolve('export_failing', keyOf(target))
}

type Failure = Exclude<DeliveryAnswer, { kind: 'delivered' }>

async function failed(
  target: Target,
  message: AlertMessage,
  { answer, way }: { readonly answer: Failure; readonly way: Way },
): Promise<void> {
  const { options, timing } = way
  const isOver =
    answer.kind === 'rejected' ? message.attempt >= timing.mostRefusals : message.ageMs >= timing.patienceMs
  const afterMs = isOver ? null : pauseOf(answer, message.attempt, timing)
  const { message: words, status = null } = answer
  await options.queue.failed(target.id, message.id, { message: words, status, afterMs })
  const facts = { target: target.name, attempt: message.attempt, status, why: words }
  options.logger.warn(facts, isOver ? 'an alert was given up' : 'an alert could not be delivered')
  if (isOver || message.attempt === WORTH_TELLING) options.raise(failingAlert(target, message, { words, isOver }))
}

function pauseOf(answer: Failure, attempt: number, { pauseMs: [first, longest] }: DeliveryTiming): number {
  // A receiver may ask for more time, never for less: `Retry-After: 0` would be tried without end.
  if (answer.kind === 'retry' && answer.afterMs !== undefined)
    return Math.min(LONGEST_WAIT, Math.max(first, answer.afterMs))
  return Math.min(longest, first * 2 ** Math.min(attempt - 1, 30)) * (0.5 + Math.random() / 2)
}

const keyOf = ({ id }: Target): string => `alert-target/${id}`

/** Its key keeps it from being sent to the very target that it tells of. */
function failingAlert(
  target: Target,
  { total }: AlertMessage,
  { words, isOver }: { readonly words: string; readonly isOver: boolean },
): Alert {
  const what = isOver ? `${total === 1 ? 'An alert was' : `${total} alerts were`} given up for` : 'Alerts do not reach'
  const message = `${what} '${target.name}': ${words}`
  return { type: 'export_failing', severity: 'warning', key: keyOf(target), message, context: { target: target.name } }
}

/** Receivers, and what calls them, repeat what they were sent: the address of a webhook is a secret of its own. */
function withoutSecrets(answer: DeliveryAnswer, { secrets }: Target): DeliveryAnswer {
  if (answer.kind === 'delivered') return answer
  let message = answer.message
  for (const secret of secrets) if (secret.length >= 4) message = message.replaceAll(secret, '[REDACTED]')
  return { ...answer, message: clip(scrubText(message), LONGEST_FAILURE) }
}
