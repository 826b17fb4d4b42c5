import { createServer } from 'node:http'
import { argv, env, exit } from 'node:process'
import { parseWebhookRequest, SIGNATURE_HEADER, undecided, verifySignature } from '@gatehouse/sdk/webhook'

const MOST_BYTES = 16 * 1024 * 1024

/**
 * Answers the gateway on /inspect with what `inspect` makes of its request. `RULE_ENGINE_SECRET` is the `secret` of the engine as
 * it is registered, `PORT` where to listen.
 */
export function serve(inspect) {
  const secret = env.RULE_ENGINE_SECRET
  if (!secret) {
    console.error(`Set RULE_ENGINE_SECRET to the secret of the engine, then start ${argv[1]} again.`)
    exit(2)
  }

  const server = createServer(async (request, response) => {
    const send = (status, answer) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    if (request.url !== '/inspect') return send(404, {})
    try {
      const body = await readAll(request)
      // Whoever finds this address may not use it to look at data, nor be told what is looked for.
      if (!verifySignature({ header: request.headers[SIGNATURE_HEADER], body, secret })) return send(401, {})
      send(200, await inspect(parseWebhookRequest(body.toString('utf8'))))
    } catch (error) {
      console.error(error)
      send(200, undecided('this engine failed; its own log says why'))
    }
  })
  server.listen(Number(env.PORT ?? 3000), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}/inspect`)
  })
}

async function readAll(request) {
  const parts = []
  let size = 0
  for await (const part of request) {
    size += part.length
    if (size > MOST_BYTES) throw new Error('the request is over the limit')
    parts.push(part)
  }
  return Buffer.concat(parts)
}
