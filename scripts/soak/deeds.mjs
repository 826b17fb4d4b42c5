/** What clients do, one thing each; `said` checks an answer, and throws when it is none. */
const SERVERS = ['modern', 'legacy', 'stdio']
const ACCEPT = { action: 'accept', content: {} }
const ROOTS = { roots: [] }

const callOf = (server, tool, more = {}) => ({ name: `${server}-${tool}`, arguments: {}, ...more })

function said(answer, what) {
  if (answer.left) return answer
  const last = answer.messages.at(-1)
  if (answer.status === 200 && (last?.result !== undefined || last?.error !== undefined)) return answer
  throw new Error(`${what}: ${answer.status} ${JSON.stringify(last)}`)
}

const resultOf = (answer) => answer.messages.at(-1)?.result
const answerTo = ({ method }) => (method === 'roots/list' ? ROOTS : ACCEPT)

async function inSession(client, random, able, deed) {
  const session = await client.open(able)
  await deed(session)
  // One in four is never ended: its client has crashed.
  if (random() < 0.75) await client.end(session)
}

export const DEEDS = {
  async 'modern call'(client, random) {
    const size = random() < 0.05 ? 200_000 : 100
    const params = callOf(pick(SERVERS, random), 'echo', { arguments: { size } })
    said(await client.modern('tools/call', params), 'a call')
  },
  async 'call without a session'(client, random) {
    said(await client.legacy('tools/call', callOf(pick(SERVERS, random), 'echo')), 'a call')
  },
  async lists(client, random) {
    const method = pick(['tools/list', 'prompts/list', 'resources/list'], random)
    said(await (random() < 0.5 ? client.modern(method) : client.legacy(method)), method)
    said(await client.modern('server/discover'), 'discovery')
  },
  async 'a session'(client, random) {
    await inSession(client, random, false, async (session) => {
      const stream = random() < 0.5 ? client.listen(session, { leaveAfter: 100 + random() * 400 }) : null
      await client.legacy('logging/setLevel', { level: 'info' }, { session })
      for (let n = 0; n < 3; n += 1)
        said(await client.legacy('tools/call', callOf(pick(SERVERS, random), 'echo'), { session }), 'a call')
      await client.legacy('resources/subscribe', { uri: 'legacy://thing' }, { session })
      await stream
    })
  },
  async 'questions in a call'(client, random) {
    await inSession(client, random, true, async (session) => {
      const server = pick(SERVERS, random)
      const answers = []
      const onEvent = (message, leave) => {
        if (message.id === undefined || message.method === undefined) return
        if (random() < 0.15) leave()
        else answers.push(client.answer(session, message.id, answerTo(message)))
      }
      said(await client.legacy('tools/call', callOf(server, 'ask'), { session, onEvent }), 'a question')
      await Promise.all(answers)
    })
  },
  async 'questions in a result'(client, random) {
    const params = callOf(pick(SERVERS, random), 'ask')
    const first = said(await client.modern('tools/call', params, { able: true }), 'a question')
    const asked = resultOf(first)
    // Some walk away: the call sleeps until it is given up.
    if (asked?.resultType !== 'input_required' || random() < 0.2) return
    const inputResponses = Object.fromEntries(
      Object.entries(asked.inputRequests).map(([name, question]) => [name, answerTo(question)]),
    )
    const again = { ...params, inputResponses, requestState: asked.requestState }
    said(await client.modern('tools/call', again, { able: true }), 'an answer')
  },
  async 'a call taken back'(client, random) {
    await inSession(client, random, false, async (session) => {
      const id = client.nextId()
      const params = callOf(pick(SERVERS, random), 'slow', { _meta: { progressToken: id } })
      const call = client.legacy('tools/call', params, { session, id })
      await pause(random() * 150)
      await client.legacy('notifications/cancelled', { requestId: id }, { session, id: null })
      await call
    })
  },
  async 'a client that goes away'(client, random) {
    const params = callOf(pick(SERVERS, random), 'slow', { _meta: { progressToken: 1 } })
    await client.modern('tools/call', params, { able: random() < 0.3, leaveAfter: random() * 200 })
  },
  async 'a stream taken up again'(client, random) {
    await inSession(client, random, false, async (session) => {
      const params = callOf('legacy', 'slow', { _meta: { progressToken: 1 } })
      const first = await client.legacy('tools/call', params, { session, leaveAfter: 60 + random() * 100 })
      if (first.eventId === undefined || random() < 0.3) return
      await client.listen(session, { lastEventId: first.eventId, leaveAfter: 300 })
    })
  },
  async 'a listen'(client, random) {
    const params = { notifications: { toolsListChanged: true, resourceSubscriptions: ['legacy://thing'] } }
    await client.modern('subscriptions/listen', params, { leaveAfter: 200 + random() * 1_500 })
  },
  async 'what is refused'(client, random) {
    await client.modern('tools/call', { name: 'nobody-has-it', arguments: {} })
    await client.legacy('ping', {}, { session: 'unknown' })
    await client.send({ body: [] })
    await client.send({
      headers: { authorization: 'Bearer API_nobody' },
      body: { jsonrpc: '2.0', id: 1, method: 'ping' },
    })
    await pause(random() * 20)
  },
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export const pick = (list, random) => list[Math.floor(random() * list.length)]
