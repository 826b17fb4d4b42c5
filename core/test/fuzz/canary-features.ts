import type { JsonObject } from '@gatehouse/sdk'
import { event, json, stream, type Told } from './canary-server.js'

/** What both canary servers offer: tools that answer, ask, take their time, and mirror an argument into a header. */
export const TOOLS = ['act', 'ask', 'slow', 'headed'] as const

/** Names differ between the servers, so that none needs a prefix. */
export const nameOf = (era: Told['era'], name: string): string => `${era}-${name}`

const MODERN = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'private' }

export async function answerFeature(told: Told): Promise<void> {
  const { era, body, res } = told
  const method = String(body['method'])
  const list = listOf(told, method)
  if (list !== undefined) return json(res, body, { result: era === 'modern' ? { ...list, ...MODERN } : list })
  switch (method) {
    case 'subscriptions/listen':
      stream(res)
      return event(res, { method: 'notifications/subscriptions/acknowledged', params: {} })
    case 'tools/call':
      return callTool(told)
    case 'prompts/get':
      return done(told, { messages: [{ role: 'user', content: { type: 'text', text: told.key } }] })
    case 'resources/read':
      return done(told, { contents: [{ uri: told.params['uri'] ?? '', text: told.key }] })
    case 'completion/complete':
      return done(told, { completion: { values: [told.key] } })
    case 'ping':
    case 'logging/setLevel':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return json(res, body, { result: {} })
    default:
      return json(res, body, { error: { code: -32601, message: 'Method not found' } })
  }
}

function listOf({ era, key }: Told, method: string): JsonObject | undefined {
  const region = { region: { type: 'string', 'x-mcp-header': 'Region' } }
  switch (method) {
    case 'tools/list':
      return {
        tools: TOOLS.map((name) => ({
          name: nameOf(era, name),
          description: key,
          inputSchema: { type: 'object', properties: name === 'headed' ? region : {} },
        })),
      }
    case 'prompts/list':
      return { prompts: [{ name: nameOf(era, 'prompt'), description: key }] }
    case 'resources/list':
      return { resources: [{ uri: `${era}://thing`, name: 'thing', description: key }] }
    case 'resources/templates/list':
      return { resourceTemplates: [{ uriTemplate: `${era}://thing/{nonce}`, name: 'things', description: key }] }
    default:
      return undefined
  }
}

/** Carries the credential that it was asked with, and what it was asked. */
function done({ era, key, body, params, res }: Told, result: JsonObject): void {
  const { _meta: _, ...saw } = params
  json(res, body, { result: { ...(era === 'modern' ? MODERN : {}), ...result, saw, key } })
}

async function callTool(told: Told): Promise<void> {
  const { era, params, key } = told
  const content = [{ type: 'text', text: key }]
  switch (String(params['name']).slice(era.length + 1)) {
    case 'ask':
      return era === 'modern' ? askInResult(told) : askInCall(told)
    case 'slow':
      return takeTime(told)
    default:
      return done(told, { content })
  }
}

const question = (key: string) => ({
  method: 'elicitation/create',
  params: { message: key, requestedSchema: { type: 'object', properties: { word: { type: 'string' } } } },
})

/** The state must come back as it went, to whom it was given. */
function askInResult(told: Told): void {
  const { params, key, body, res } = told
  const answers = params['inputResponses'] as JsonObject | undefined
  if (params['requestState'] === undefined && answers === undefined) {
    const result = {
      resultType: 'input_required',
      inputRequests: { word: question(key) },
      requestState: `state of ${key}`,
    }
    return json(res, body, { result })
  }
  done(told, { content: [{ type: 'text', text: `${key} ${String(params['requestState'])}` }] })
}

async function askInCall({ res, body, params, key, ask }: Told): Promise<void> {
  stream(res)
  const answer = await ask(question(key))
  event(res, { id: body['id'], result: { content: [{ type: 'text', text: key }], saw: params, answer, key } })
  res.end()
}

async function takeTime({ era, res, body, params, key }: Told): Promise<void> {
  const meta = params['_meta'] as JsonObject | undefined
  stream(res)
  for (let progress = 0; progress < 3; progress += 1) {
    if (meta?.['progressToken'] !== undefined)
      event(res, {
        method: 'notifications/progress',
        params: { progressToken: meta['progressToken'], progress, message: key },
      })
    event(res, { method: 'notifications/message', params: { level: 'info', data: key } })
    await new Promise((resolve) => setTimeout(resolve, 8))
  }
  const result = { ...(era === 'modern' ? MODERN : {}), content: [{ type: 'text', text: key }], saw: params, key }
  event(res, { id: body['id'], result })
  res.end()
}
