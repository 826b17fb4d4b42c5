import { askService } from '@gatehouse/sdk'
import type { PluginContext, TextService } from '@gatehouse/sdk'
import { readAnswer, SEPARATOR } from './answer.js'
import { urlOf } from './config.js'
import type { Instance } from './config.js'

/** The service screens the last message of a conversation: all pieces go into one. */
export const LIMITS = { characters: 30_000, pieces: 500, questions: 20 }

const MOST_BYTES = 4 * 1_048_576

export function openLakera({ fetch }: Pick<PluginContext<unknown>, 'fetch'>, instance: Instance): TextService {
  const { apiKey, project } = instance
  const url = urlOf(instance)
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', accept: 'application/json' }
  return async (pieces, asking) => {
    const content = pieces.map(({ text }) => text).join(SEPARATOR)
    const body = JSON.stringify({
      messages: [{ role: asking.leg === 'request' ? 'user' : 'tool', content }],
      ...(project === undefined ? {} : { project_id: project }),
      breakdown: true,
      payload: true,
    })
    const init = () => ({ method: 'POST', headers, body, maxBytes: MOST_BYTES })
    const answer = await askService(fetch, { url, init, hints: HINTS }, asking)
    return answer.ok ? readAnswer(answer.json, pieces) : { kind: 'undecided', message: answer.message }
  }
}

const HINTS = {
  400: 'the project may be unknown',
  401: 'the key is missing or wrong',
  403: 'the key may not use the project',
  413: 'the texts are too long for the plan',
  429: 'the rate of the plan is used up',
}
