import type { Counts, Progress, ReplayReport, Sample } from '../domain/replay.js'
import { columns, plain } from './io.js'

/** A backtest as the admin API tells of it. */
export interface Replay {
  readonly id: string
  readonly state: 'queued' | 'running' | 'done' | 'cancelled' | 'failed'
  readonly reason: string | null
  readonly gateway: string
  readonly since: string
  readonly until: string
  readonly progress: Progress
  readonly report: ReplayReport | null
  readonly samples: readonly Sample[]
}

const MOST_FEATURES = 10

const WHY = {
  not_captured: 'not captured: the gateway keeps no bodies (capture), or retention has dropped them',
  blocked: 'blocked by a rule then, and no original was kept (capture: sealed keeps it)',
  too_long: 'longer than settings.limits.bodyInLog',
  not_permitted: 'kept sealed only: needs the capability viewMessageBodies',
  unreadable: 'sealed with a key that is gone, or damaged',
} as const

const STOPPED = {
  messages: 'It ended at the number of messages that one backtest reads (--max, settings.limits.replayMessages).',
  time: 'It ended at the time that one backtest may take (settings.limits.replayTime).',
  cancel: 'It was cancelled.',
} as const

/** For a person. */
export function writeReplay({ report, ...replay }: Replay): string {
  if (report === null) return ''
  const legs = report.inputs.original + report.inputs.redacted
  const parts = [
    `${report.messages} messages of ${replay.gateway} from ${replay.since} to ${replay.until}, ${report.covered} of them covered.`,
    `${legs} legs looked at: ${report.inputs.original} as they were before any rule (sealed originals), ${report.inputs.redacted} as the rules of that day left them.`,
    ...missed(report),
    ...(report.stoppedBy === null ? [] : [STOPPED[report.stoppedBy]]),
    '',
    `Would have: ${countsOf(report.outcomes)}. People concerned: ${report.users}.`,
    ...rulesOf(report),
    ...featuresOf(report),
    ...samplesOf(replay.samples),
    `Took ${(report.durationMs / 1000).toFixed(1)} s.`,
  ]
  return `${parts.map((line) => plainLine(line)).join('\n')}\n`
}

/** Line ends are ours, everything else may come from others. */
const plainLine = (line: string): string => line.split('\n').map(plain).join('\n')

const countsOf = ({ block, modify, detect, undecided, pass }: Counts): string =>
  `blocked ${block}, changed ${modify}, detected ${detect}, undecided ${undecided}, passed ${pass}`

function missed({ notKept }: ReplayReport): string[] {
  const reasons = Object.entries(notKept) as [keyof typeof WHY, number][]
  return reasons.length === 0
    ? []
    : ['Not looked at, for their input was not kept:', ...reasons.map(([why, count]) => `  ${count}  ${WHY[why]}`)]
}

function rulesOf({ rules }: ReplayReport): string[] {
  return rules.flatMap(({ name, counts, findings }) => {
    const types = Object.entries(findings).toSorted((a, b) => b[1] - a[1])
    return [`  ${name}: ${countsOf(counts)}`, ...types.map(([type, count]) => `    ${count}  ${type}`)]
  })
}

function featuresOf({ features }: ReplayReport): string[] {
  const acted = features.filter(({ counts }) => counts.block + counts.modify + counts.detect + counts.undecided > 0)
  if (acted.length === 0) return []
  const rows = acted
    .slice(0, MOST_FEATURES)
    .map(({ server, feature, counts }) => [`  ${server || '?'}/${feature}`, countsOf(counts)])
  return ['', 'By feature:', columns(rows)]
}

function samplesOf(samples: readonly Sample[]): string[] {
  if (samples.length === 0) return ['']
  const lines = samples.flatMap(({ at, verdict, leg, server, feature, correlationId, before, after, input }) => [
    `  ${at}  ${verdict}  ${leg} of ${server || '?'}/${feature}  ${correlationId}  (${input})`,
    ...(before === null ? [] : [`    - ${plain(before)}`]),
    ...(after === null || after === before ? [] : [`    + ${plain(after)}`]),
  ])
  return ['', 'Samples:', ...lines, '']
}
