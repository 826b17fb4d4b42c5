import { askService } from '@gatehouse/sdk'
import type { Asking, Piece, PluginContext, TextService } from '@gatehouse/sdk'
import { readAnswer } from './answer.js'
import { regionOf, urlOf } from './config.js'
import type { Instance } from './config.js'
import { sign } from './sigv4.js'

/**
 * One content block for each piece. A request takes 25 text units of 1,000 characters (quota "On-demand ApplyGuardrail", default of
 * the smallest region).
 */
export const LIMITS = { characters: 25_000, pieces: 100, questions: 20 }

const MOST_BYTES = 4 * 1_048_576

export function openBedrock(
  { fetch, now }: Pick<PluginContext<unknown>, 'fetch' | 'now'>,
  instance: Instance,
): TextService {
  const url = urlOf(instance)
  return async (pieces, asking) => {
    const body = bodyOf(pieces, asking)
    const headers = () => headersOf(instance, { url, body, now: now() })
    const init = () => ({ method: 'POST', headers: headers(), body, maxBytes: MOST_BYTES })
    const answer = await askService(fetch, { url, init, hints: HINTS }, asking)
    return answer.ok ? readAnswer(answer.json, pieces) : { kind: 'undecided', message: answer.message }
  }
}

function bodyOf(pieces: readonly Piece[], { leg }: Asking): string {
  return JSON.stringify({
    source: leg === 'request' ? 'INPUT' : 'OUTPUT',
    content: pieces.map(({ text }) => ({ text: { text } })),
  })
}

function headersOf(
  instance: Instance,
  { url, body, now }: { readonly url: string; readonly body: string; readonly now: number },
): Readonly<Record<string, string>> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  const { apiKey, accessKeyId, secretAccessKey, sessionToken } = instance
  if (apiKey !== undefined) return { ...headers, authorization: `Bearer ${apiKey}` }
  const keys = { accessKeyId: accessKeyId ?? '', secretAccessKey: secretAccessKey ?? '', sessionToken }
  const scope = { region: regionOf(instance), service: 'bedrock', now }
  return sign({ method: 'POST', url, headers, body }, keys, scope)
}

const HINTS = {
  400: 'the request or the version of the guardrail is not right',
  403: 'the key is wrong, or may not apply the guardrail',
  404: 'there is no such guardrail in this region',
  429: 'the quota of the account is used up',
}
