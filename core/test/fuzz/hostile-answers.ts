import type { JsonObject } from '@gatehouse/sdk'
import type { Told } from './canary-server.js'
import { mutate, oddOf, Pairs, Raw, type Odd } from './odd-json.js'
import type { Random } from './random.js'

/** What a hostile server may say to one call. */
export interface Sayings {
  readonly good: Odd
  /** The answer, changed in a few places. */
  bent(): Odd
  /** An answer to another call, of the wrong form, or that asks oddly. */
  wrong(): Odd
  /** A note or a question beside the answer. */
  aside(): Odd
}

type Asked = Pick<Told, 'era' | 'key' | 'body' | 'params'>

/** The latest calls of all people: what is said to one may be meant for another. */
const recent: Asked[] = []
const ODD_IDS: readonly Odd[] = [0, '', -1, 'a', 1.5, 2 ** 53, null, new Raw('9007199254740993'), [], 'x'.repeat(300)]

export function hostileAnswers(asked: Asked, random: Random): Sayings {
  recent.push(asked)
  if (recent.length > 12) recent.shift()
  const good = oddOf(answerTo(asked))
  const bent = () => {
    let value: Odd = good
    for (let changes = 1 + random.int(3); changes > 0; changes -= 1) value = mutate(value, random)
    return value
  }
  return { good, bent, wrong: () => wrongAnswer(asked, random, good), aside: () => aside(asked, random) }
}

/** Every answer carries the credential and the words that it was asked with. */
function answerTo({ era, key, body, params }: Asked): object {
  const content = [{ type: 'text', text: key }]
  const modern = era === 'modern' ? { resultType: 'complete' } : {}
  return { jsonrpc: '2.0', id: body['id'], result: { ...modern, content, saw: params['arguments'], key } }
}

function wrongAnswer(asked: Asked, random: Random, good: Odd): Odd {
  const { body } = asked
  const other = someOther(asked, random)
  const error = { code: random.pick([-32603, -32020, -32021, -32022, -32042, -32002, 0, 1.5]), message: asked.key }
  switch (random.int(9)) {
    case 0:
      return oddOf(answerTo(other))
    case 1:
      return oddOf({ ...answerTo(asked), id: `${String(body['id'])}` })
    case 2:
      return new Pairs([
        ['jsonrpc', '2.0'],
        ['id', random.pick(ODD_IDS)],
        ['result', oddOf({ key: asked.key })],
      ])
    case 3:
      return oddOf({
        jsonrpc: '2.0',
        id: random.chance(0.7) ? body['id'] : null,
        error: { ...error, data: oddData(asked, random) },
      })
    case 4:
      return [good, good]
    case 5:
      return oddOf({ ...answerTo(asked), error })
    default:
      return oddOf({ jsonrpc: '2.0', id: body['id'], result: oddQuestionResult(asked, random) })
  }
}

/** Under an id that is not this call's: what a server says under the right one is its answer, whosever it is. */
function someOther(asked: Asked, random: Random): Asked {
  const others = recent.filter(({ body }) => body['id'] !== asked.body['id'])
  return others.length === 0 ? { ...asked, body: { ...asked.body, id: -1 } } : random.pick(others)
}

const oddData = ({ key }: Asked, random: Random): unknown =>
  random.pick([
    undefined,
    null,
    key,
    { requiredCapabilities: null },
    { supported: 'x' },
    { elicitations: [{}, 7, { url: key }] },
  ])

const form = (message: unknown): JsonObject => ({ message, requestedSchema: { type: 'object' } }) as JsonObject

/** `input_required`, in forms that the protocol has and in others. */
function oddQuestionResult({ key, params }: Asked, random: Random): object {
  const entry = { method: 'elicitation/create', params: form(key) }
  const inputRequests: unknown = random.pick<unknown>([
    { a: entry },
    { a: entry, b: { method: 'roots/list' }, ['__proto__x']: entry },
    { '': entry, constructor: entry },
    { a: { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } } },
    { a: { method: 'tools/call', params: {} } },
    { a: { method: 'elicitation/create', params: [1] } },
    { a: null },
    [entry],
    {},
    'a',
    Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`k${n}`, entry])),
  ])
  const requestState = random.pick<unknown>([undefined, '', key, 'x'.repeat(2_000), 7, null, {}])
  const resultType = random.chance(0.9) ? 'input_required' : random.pick(['task', 'INPUT_REQUIRED', 7, null])
  return { resultType, inputRequests, requestState, saw: params['arguments'] }
}

function aside(asked: Asked, random: Random): Odd {
  const { key, params } = asked
  const token = random.chance(0.5) ? tokenOf(asked) : random.pick<unknown>([tokenOf(random.pick(recent)), 0, 'a', null])
  const note = (method: string, given: unknown) => ({ jsonrpc: '2.0', method, params: given })
  const drawn = random.pick<object>([
    note('notifications/progress', { progressToken: token, progress: random.int(10), total: 9, message: key }),
    note('notifications/progress', { progressToken: token, progress: 'x' }),
    note('notifications/message', { level: 'info', data: { key, saw: params['arguments'] } }),
    note('notifications/tools/list_changed', {}),
    note('notifications/cancelled', { requestId: random.pick<unknown>([asked.body['id'], 0, 'a', {}]) }),
    note('notifications/elicitation/complete', { elicitationId: key }),
    note('notifications/resources/updated', { uri: 'legacy://thing' }),
    note('', [1]),
    note('notifications/message', 7),
    { ...note('notifications/message', { data: key }), result: {}, extra: key },
  ])
  if (random.chance(0.25)) return question(asked, random)
  return random.chance(0.3) ? mutate(oddOf(drawn), random) : oddOf(drawn)
}

const tokenOf = ({ params }: Asked): unknown => (params['_meta'] as JsonObject | undefined)?.['progressToken']

/** Of whatever id; its answer may come back to nobody. */
function question({ key }: Asked, random: Random): Odd {
  const method = random.pick(['elicitation/create', 'roots/list', 'sampling/createMessage', 'ping', 'tools/list', ''])
  const params = random.pick<unknown>([form(key), {}, undefined, [1], form({ deep: [key] })])
  return new Pairs([
    ['jsonrpc', '2.0'],
    ['id', random.pick(ODD_IDS)],
    ['method', method],
    ...(params === undefined ? [] : [['params', oddOf(params)] as const]),
  ])
}
