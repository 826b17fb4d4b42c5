import { callsOf, answerJson, fakeUpstream, params } from '../fake-upstream.js'
import type { FakeServer } from '../fake-upstream.js'
import type { RunningGateway } from '../gateway.js'
import { until } from '../until.js'

/** A server whose tools say back what they are told; `leak` says what nobody may hear. */
export async function echoing(leak = ''): Promise<FakeServer> {
  const server = await fakeUpstream(
    (seen) => {
      const { name, arguments: given } = params(seen) as { name: string; arguments?: { text?: string } }
      const text = name === 'leak' ? leak : (given?.text ?? '')
      answerJson(seen, { result: { content: [{ type: 'text', text }] } })
    },
    { tools: ['echo', 'find_contact', 'leak'] },
  )
  return server
}
export { callsOf }

/** Three gateways before it that keep more and less of what is said; two of them hide what begins with `hush-`. */
export const yamlFor = (server: FakeServer): string => `version: 1
servers: { crm: { url: ${JSON.stringify(server.url)} } }
gateways:
  sealed:
    capture: sealed
    servers: [ { server: crm, as: crm-mine } ]
    rules:
      - { name: Hide, engine: regex, hook: both, patterns: ['hush-\\w+'], action: redact }
      - { name: Stop, engine: regex, hook: both, patterns: ['stop-\\w+'], action: block }
  plain:
    servers: [ { server: crm, as: crm-mine } ]
    rules:
      - { name: Hide, engine: regex, hook: both, patterns: ['hush-\\w+'], action: redact }
      - { name: Stop, engine: regex, hook: both, patterns: ['stop-\\w+'], action: block }
  bare: { capture: none, servers: [ { server: crm, as: crm-mine } ] }
`

export interface Asked {
  readonly gateway: string
  readonly rules: readonly object[]
  readonly [key: string]: unknown
}

export const HOUR_AGO = (): string => new Date(Date.now() - 3_600_000).toISOString()

/** The admin API as whoever holds this token. */
export function apiAs(gateway: Pick<RunningGateway, 'url'>, token: string) {
  return async (method: string, path: string, body?: object) => {
    const response = await fetch(`${gateway.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    // oxlint-disable-next-line typescript/no-explicit-any
    return { status: response.status, json: (text === '' ? null : JSON.parse(text)) as any, text }
  }
}
export type Api = ReturnType<typeof apiAs>

/** Starts one and waits for its end. */
export async function replayed(api: Api, asked: Asked) {
  const begun = await api('POST', '/rules/replay', { since: HOUR_AGO(), ...asked })
  if (begun.status !== 202) throw new Error(`${begun.status} ${begun.text}`)
  return ended(api, begun.json.id as string)
}

export function ended(api: Api, id: string) {
  return until(
    'the backtest has ended',
    async () => {
      const { json } = await api('GET', `/rules/replays/${id}`)
      return ['done', 'failed', 'cancelled'].includes(json.state) ? json : undefined
    },
    { seconds: 120 },
  )
}

export const regex = (name: string, pattern: string, more: object = {}): object => ({
  name,
  engine: 'regex',
  hook: 'both',
  patterns: [pattern],
  action: 'block',
  ...more,
})
