import { eventsOf } from './events.js'
import { isObject } from './answer-laws.js'
import { PEOPLE, type Person } from './canaries.js'
import { nameOf } from './canary-features.js'
import { answerOf, legacyRequest, modernRequest, type Message, type Seen } from './client-messages.js'
import { requestOf, verbOf, type Caller, type Sent } from './client-requests.js'
import type { Random } from './random.js'
import { readJson } from './talk.js'
import type { Heard } from './wire.js'

/** A request without fault but that it uses what was given to somebody else; `refused` says how it must end. */
export interface Theft {
  readonly sent: Sent
  readonly refused: (heard: Heard) => boolean
}

interface Drawing {
  readonly number: number
  readonly random: Random
  readonly seen: Seen
}

/** Asked for by everybody with the very same words, so that nothing but the person tells two states apart. */
export const plainAsk = (server: 'modern' | 'legacy', number: number, more = {}): Message =>
  modernRequest(number, 'tools/call', { name: nameOf(server, 'ask'), arguments: {}, ...more })

export function drawTheft(caller: Caller, drawing: Drawing): Theft {
  const { random, seen } = drawing
  const victim = random.pick(PEOPLE.filter((person) => person !== caller.person))
  const state = seen.plain[victim].at(-1)
  if (state !== undefined && random.chance(0.4)) return stateTheft(caller, state, drawing)
  return sessionTheft(caller, random.pick(seen.sessions[victim]), { ...drawing, victim })
}

function stateTheft(
  caller: Caller,
  { server, requestState }: Seen['plain'][Person][number],
  { number }: Drawing,
): Theft {
  const inputResponses = {
    word: answerOf({ person: caller.person, number }),
    q1: answerOf({ person: caller.person, number }),
  }
  const sent = requestOf(caller, plainAsk(server, number, { requestState, inputResponses }))
  return { sent, refused: (heard) => codeOf(heard) === -32602 }
}

/** A session that is another's is as unknown. */
function sessionTheft(
  caller: Caller,
  session: string,
  { number, random, seen, victim }: Drawing & { victim: Person },
): Theft {
  const refused = ({ status }: Heard) => status === 404
  const verb = random.pick(['POST', 'POST', 'POST', 'GET', 'DELETE'])
  if (verb !== 'POST') return { sent: verbOf(caller, verb, session), refused }
  const questions = seen.questions[victim]
  const message = random.pick<Message>([
    legacyRequest(number, 'ping', {}, session),
    legacyRequest(number, 'tools/call', { name: nameOf('legacy', 'act'), arguments: {} }, session),
    legacyRequest(null, 'notifications/cancelled', { requestId: number - 1 }, session),
    {
      body: { jsonrpc: '2.0', id: questions.at(-1) ?? 'ab12.1', result: answerOf({ person: caller.person, number }) },
      headers: [['mcp-session-id', session]],
    },
  ])
  return { sent: requestOf(caller, message), refused }
}

function codeOf({ body, headers }: Heard): unknown {
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') ?? false
  const answer = readJson(isStream ? (eventsOf(body).at(-1) ?? '') : body.toString('utf8'))
  const error = isObject(answer) ? answer['error'] : undefined
  return isObject(error) ? error['code'] : undefined
}
