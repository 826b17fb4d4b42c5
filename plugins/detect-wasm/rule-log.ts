import type { Ran } from '@gatehouse/rule-sandbox'
import type { PluginLog } from '@gatehouse/sdk'
import type { Prepared } from './shelf.js'

/** Lines of one rule in a second: what many calls write together must not drown the log. */
const MOST_A_SECOND = 50

export type RuleLog = (rule: Prepared, correlationId: string, ran: Pick<Ran, 'log' | 'dropped'>) => void

interface Second {
  readonly begun: number
  lines: number
  dropped: number
}

/** What rules write goes to the gateway's log, named as theirs, and nowhere else. */
export function createRuleLog(log: PluginLog, now: () => number): RuleLog {
  const seconds = new WeakMap<Prepared, Second>()

  return (rule, correlationId, { log: lines, dropped }) => {
    if (lines.length === 0 && dropped === 0) return
    const tag = { rule_id: rule.rule?.id ?? null, correlation_id: correlationId }
    const known = seconds.get(rule)
    const isOver = known === undefined || now() - known.begun >= 1_000
    if (isOver && known !== undefined && known.dropped > 0)
      log.warn({ ...tag, dropped: known.dropped }, 'lines of a rule were dropped')
    const second = isOver ? { begun: now(), lines: 0, dropped: 0 } : known
    seconds.set(rule, second)
    second.dropped += dropped
    for (const { level, text } of lines) {
      if (second.lines >= MOST_A_SECOND) second.dropped += 1
      else log[level]({ ...tag, line: text }, 'a rule says')
      second.lines += 1
    }
  }
}
