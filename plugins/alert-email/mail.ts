import type { AlertDelivery, AlertDigest, ToldAlert } from '@gatehouse/sdk'

/** A mail about an alert, or about many: the same in plain text and in HTML. */
export interface Mail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

const LONGEST_SUBJECT = 150

export function mailOf(delivery: AlertDelivery): Mail {
  const mail = delivery.kind === 'alert' ? oneAlert(delivery.alert) : digestOf(delivery.digest)
  const subject = delivery.isTest ? `Test: ${mail.subject}` : mail.subject
  const characters = [...oneLine(subject)]
  const isLong = characters.length > LONGEST_SUBJECT
  return { ...mail, subject: characters.slice(0, LONGEST_SUBJECT).join('') + (isLong ? '…' : '') }
}

function oneAlert(alert: ToldAlert): Mail {
  const { severity, message, url } = alert
  const facts = factsOf(alert)
  // On one line: what servers say must not look like facts or links of ours.
  const text = [oneLine(message), '', ...facts.map(([name, value]) => `${name}: ${oneLine(value)}`), '', url, ''].join(
    '\n',
  )
  const rows = facts.map(([name, value]) => `<tr><td>${escape(name)}&nbsp;</td><td>${escape(value)}</td></tr>`)
  const html = [
    `<p><b>${escape(message)}</b></p>`,
    `<table>${rows.join('')}</table>`,
    `<p>${link(url, 'Open the alert')}</p>`,
  ].join('\n')
  return { subject: `[${severity}] ${message}`, text, html }
}

function factsOf(alert: ToldAlert): (readonly [string, string])[] {
  const { severity, type, gateway, server, rule, user, count, state, firstAt, lastAt } = alert
  const repeats = count > 1 ? `${count} times, first at ${firstAt}` : null
  const facts = { severity, type, gateway, server, rule, user, raised: lastAt, repeats, state }
  return Object.entries(facts).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
}

function digestOf({ total, bySeverity, alerts, url }: AlertDigest): Mail {
  const counted = (['error', 'warning', 'info'] as const)
    .filter((severity) => bySeverity[severity] > 0)
    .map((severity) => `${bySeverity[severity]} ${severity}`)
    .join(', ')
  const head = `${total} more alerts: ${counted}`
  const rest = total - alerts.length
  const more = rest > 0 ? [`… and ${rest} others`] : []
  const lines = alerts.map(({ severity, message, url: own }) => `${severity}: ${oneLine(message)}\n  ${own}`)
  const items = alerts.map(({ severity, message, url: own }) => `<li>${severity}: ${link(own, message)}</li>`)
  return {
    subject: head,
    text: [head, '', ...lines, ...more, '', url, ''].join('\n'),
    html: `<p><b>${escape(head)}</b></p>\n<ul>${items.join('')}</ul>\n<p>${link(url, more[0] ?? 'Open all alerts')}</p>`,
  }
}

/** Without what would end a line or turn its direction. */
const oneLine = (text: string): string =>
  text.replaceAll(/[\s\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()
const link = (url: string, text: string): string => `<a href="${escape(url)}">${escape(text)}</a>`

/** Words of others are text, never markup. */
function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
