import { createServer } from 'node:http'
import { Pool } from 'undici'
import { listen } from './listen.mjs'

/** The yardstick: what it costs on this machine to carry the bytes there and back, and nothing else. Leave it as it is. */
const pool = new Pool(new URL(process.env.UPSTREAM).origin)
const { pathname } = new URL(process.env.UPSTREAM)

listen(
  createServer(async (req, res) => {
    try {
      const { host: _, connection: __, ...headers } = req.headers
      const answer = await pool.request({ path: pathname, method: req.method, headers, body: req })
      res.writeHead(answer.statusCode, answer.headers)
      answer.body.pipe(res)
    } catch {
      res.writeHead(502).end()
    }
  }),
)
