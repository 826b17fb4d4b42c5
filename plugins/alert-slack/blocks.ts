import type { AlertDelivery, AlertDigest, ToldAlert } from '@gatehouse/sdk'

/** What an incoming webhook of Slack takes: `text` is the fallback of notifications, the blocks are what people read. */
export interface SlackMessage {
  readonly text: string
  readonly blocks: readonly object[]
}

const SIGN = { error: ':red_circle:', warning: ':large_orange_circle:', info: ':large_blue_circle:' } as const
const MOST_LISTED = 10
/** A section takes 3,000 characters, and a cut must not fall into an escape. */
const LONGEST = 2_800
const LONGEST_LINE = 150

export function messageOf(delivery: AlertDelivery): SlackMessage {
  const message = delivery.kind === 'alert' ? oneAlert(delivery.alert) : digestOf(delivery.digest)
  return delivery.isTest ? { ...message, text: `Test: ${message.text}` } : message
}

function oneAlert(alert: ToldAlert): SlackMessage {
  const { severity, type, message, count, firstAt, url, state } = alert
  const repeats = count > 1 ? [`${count} times since ${firstAt}`] : []
  const about = [type, ...placesOf(alert), ...repeats, ...(state === 'open' ? [] : [state])]
  return {
    text: `${severity}: ${escape(message, LONGEST)}`,
    blocks: [
      section(`${SIGN[severity]} *${escape(message, LONGEST)}*`),
      context(about.map((text) => escape(text, LONGEST_LINE)).join('  ·  ')),
      section(link(url, 'Open the alert')),
    ],
  }
}

function digestOf({ total, bySeverity, alerts, url }: AlertDigest): SlackMessage {
  const counts = (['error', 'warning', 'info'] as const).filter((severity) => bySeverity[severity] > 0)
  const counted = counts.map((severity) => `${bySeverity[severity]} ${severity}`).join(', ')
  const lines = alerts
    .slice(0, MOST_LISTED)
    .map(
      (alert) =>
        `${SIGN[alert.severity]} ${link(alert.url, alert.message)}${alert.count > 1 ? ` (${alert.count})` : ''}`,
    )
  const rest = total - lines.length
  return {
    text: `${total} more alerts: ${counted}`,
    blocks: [
      section(`*${total} more alerts: ${counted}*`),
      ...lines.map(section),
      section(link(url, rest > 0 ? `… and ${rest} others` : 'Open all alerts')),
    ],
  }
}

function placesOf({ gateway, server, rule, user }: ToldAlert): string[] {
  const named = { gateway, server, rule, user }
  return Object.entries(named).flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]))
}

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } })
const context = (text: string) => ({ type: 'context', elements: [{ type: 'mrkdwn', text, verbatim: true }] })
const link = (url: string, text: string): string =>
  `<${escapeUrl(url)}|${escape(text, LONGEST_LINE).replaceAll('|', '¦')}>`
const escapeUrl = (url: string): string => url.replaceAll(/[|<>\s]/g, encodeURIComponent).replaceAll('&', '&amp;')

/**
 * Text of others as Slack shows it: `&`, `<` and `>` are all that has a meaning to its parser (so `<!channel>` pings nobody
 * and no link can be forged); the signs of its markup would only change how a text looks. What would end a line or turn its direction is a space.
 */
function escape(text: string, most: number): string {
  let escaped = ''
  for (const character of text.replaceAll(/[\s\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')) {
    const next = ENTITIES[character] ?? character
    if (escaped.length + next.length > most) return `${escaped}…`
    escaped += next
  }
  return escaped
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
