import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Something that says of itself, wherever it is asked, that it is an authorization server of this kind. */
export async function startFakeServer(
  metadata: (own: string) => object,
): Promise<{ readonly url: string; readonly asked: string[]; stop(): Promise<void> }> {
  const asked: string[] = []
  const http = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`)
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(
      JSON.stringify({
        authorization_endpoint: `${own}/authorize`,
        token_endpoint: `${own}/token`,
        registration_endpoint: `${own}/register`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        ...metadata(own),
      }),
    )
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const own = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  return {
    url: own,
    asked,
    stop: async () => {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
