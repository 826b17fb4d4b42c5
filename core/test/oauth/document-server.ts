import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate for `localhost` alone, trusted by nobody who is not told to. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUItvkyUiLbfMiamdT1qHCoiPpnIYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTIwMzgwM1oYDzIxMjYxMTAx
MjAzODAzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARSiVntcV0SfMuGTBZqT9QjRhB/oOrspSx3Ln+u0J+64+BleaxBM/WB
7wle+VBhviSKeYanI7Qiv1K9NvN66Qt1o2kwZzAdBgNVHQ4EFgQU/Y95V+qrzAa5
LcrstveISypZr9owHwYDVR0jBBgwFoAU/Y95V+qrzAa5LcrstveISypZr9owDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAKxVsBvoflgTnknwFUuXFO+FMMZ7NnDD1whFeFdZDV2pAiEA5aybv9P3
IPoSwQD8vw9fQ9jVrxrRbbaPp8juTcz0I+8=
-----END CERTIFICATE-----`
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWduqXULVY3I59FXy
ZWKWv9uvfbiu1WMxVSr3ug7l/qehRANCAARSiVntcV0SfMuGTBZqT9QjRhB/oOrs
pSx3Ln+u0J+64+BleaxBM/WB7wle+VBhviSKeYanI7Qiv1K9NvN66Qt1
-----END PRIVATE KEY-----`

type Answer = (req: IncomingMessage, res: ServerResponse) => void

/** Where clients keep the documents that they are known by. */
export interface DocumentServer {
  readonly url: string
  /** A file that `NODE_EXTRA_CA_CERTS` can name. */
  readonly certificate: string
  readonly asked: readonly string[]
  /** What lies at a path: a document, or whatever else a hostile one would do. */
  put(path: string, answer: Answer | Readonly<Record<string, unknown>>): string
  stop(): Promise<void>
}

export async function documentServer(): Promise<DocumentServer> {
  const answers = new Map<string, Answer>()
  const asked: string[] = []
  const server = createServer({ cert: CERTIFICATE, key: KEY }, (req, res) => {
    asked.push(req.url ?? '')
    const answer = answers.get(req.url ?? '')
    if (answer === undefined) res.writeHead(404).end()
    else answer(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const folder = await mkdtemp(join(tmpdir(), 'gh-certificate-'))
  const certificate = join(folder, 'certificate.pem')
  await writeFile(certificate, CERTIFICATE)
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  return {
    url,
    certificate,
    asked,
    put(path, answer) {
      const own = (_: IncomingMessage, res: ServerResponse) =>
        res
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ client_id: url + path, ...answer }))
      answers.set(path, typeof answer === 'function' ? answer : own)
      return url + path
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
