import { createServer } from 'node:http'
import { echo } from './answer.mjs'
import { listen } from './listen.mjs'

/** The same server, which does to every request what its parent told it last. That it is killed is its parent's to do. */
const TROUBLES = {
  well: (_res, answer) => answer(),
  hung: () => undefined,
  slow: (_res, answer) => setTimeout(answer, 500),
  limited: (res) => res.writeHead(429, { 'retry-after': '2', 'content-length': 0 }).end(),
  unauthorised: (res) => res.writeHead(401, { 'www-authenticate': 'Bearer', 'content-length': 0 }).end(),
  cut(res) {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write(': so far\n\n', () => res.destroy())
  },
}
let stand = TROUBLES.well
process.on('message', ({ trouble }) => {
  stand = TROUBLES[trouble]
  process.send({ trouble })
})
listen(createServer(echo((res, answer) => stand(res, answer))), Number(process.env.PORT ?? 0))
