import type { Era, JsonObject } from '@gatehouse/sdk'
import { answerJson, DISCOVERY, legacyFake, modernFake } from '../upstream/testing.js'
import type { FakeServer, Seen } from '../upstream/testing.js'

export { answerJson, sendEvent, startStream } from '../upstream/testing.js'
export type { FakeServer, Seen } from '../upstream/testing.js'

export interface FakeOptions {
  readonly era?: Era
  readonly tools?: readonly string[]
  readonly prompts?: readonly string[]
  readonly resources?: readonly string[]
}

type Handle = (seen: Seen) => void

/** A server of one era with the features named; whatever is asked of them goes to `handle`, which has the socket to itself. */
export function fakeUpstream(handle: Handle, options: FakeOptions = {}): Promise<FakeServer> {
  const { era = 'modern', tools = ['act'], prompts = [], resources = [] } = options
  const lists: Readonly<Record<string, JsonObject>> = {
    'tools/list': { tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) },
    'prompts/list': { prompts: prompts.map((name) => ({ name })) },
    'resources/list': { resources: resources.map((uri) => ({ uri, name: uri })) },
    'resources/templates/list': { resourceTemplates: [] },
  }
  const own: Handle = (seen) => {
    const list = lists[String(seen.body['method'])]
    const modern = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'private' }
    if (list !== undefined) answerJson(seen, { result: { ...list, ...(era === 'modern' ? modern : {}) } })
    else if (seen.body['method'] === 'subscriptions/listen')
      answerJson(seen, { error: { code: -32601, message: 'no' } })
    // A server of one era, asked whether it speaks another one.
    else if (era === 'modern' && seen.body['method'] === 'initialize')
      answerJson(seen, { error: { code: -32022, message: 'no', data: { supported: ['2026-07-28'] } } }, 400)
    else if (seen.verb === 'POST' && 'id' in seen.body) handle(seen)
    else if (seen.verb === 'POST') seen.res.writeHead(202).end()
  }
  const capabilities = { tools: {}, prompts: {}, resources: {} }
  if (era === 'modern') return modernFake(own, { ...DISCOVERY, capabilities })
  return legacyFake(own)
}

/** Answers every call with this result. */
export const answering =
  (result: JsonObject): Handle =>
  (seen) =>
    answerJson(seen, { result })

export const params = (seen: Seen): JsonObject => (seen.body['params'] ?? {}) as JsonObject
/** Calls alone, without discovery, lists and notes. */
export const callsOf = (server: FakeServer): readonly Seen[] =>
  server.seen.filter(({ body }) => body['method'] === 'tools/call')

export interface FakeHouse {
  readonly [assignment: string]: FakeServer | string
}

/** An operator's file with the gateway `house` before these servers; `rules` are lines of YAML in flow style. */
export function yamlOf(
  servers: FakeHouse,
  { rules = [] as readonly string[], settings = '', plugins = '', gateway = '' } = {},
): string {
  const entries = Object.entries(servers).map(([name, server]) => {
    const url = typeof server === 'string' ? server : server.url
    return `  ${name}: { url: ${JSON.stringify(url)} }\n`
  })
  const assigned = Object.keys(servers).map((name) => `      - { server: ${name} }\n`)
  return `version: 1
${plugins}${settings === '' ? '' : `settings: ${settings}\n`}servers:
${entries.join('')}gateways:
  house:
${gateway === '' ? '' : `    ${gateway}\n`}    servers:
${assigned.join('')}${rules.length === 0 ? '' : `    rules:\n${rules.map((rule) => `      - ${rule}\n`).join('')}`}`
}
