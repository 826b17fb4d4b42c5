import { once } from 'node:events'
import { createServer, request } from 'node:http'

/**
 * The suite cannot send a token. This stands before the gateway, adds one, and passes everything else as it is, byte for
 * byte and as soon as it comes. Its own name in `Host` and `Origin` becomes the gateway's; foreign names stay, so that
 * it is the gateway that must refuse them.
 */
export async function startShim({ gateway, token }) {
  const target = new URL(gateway)
  const server = createServer((incoming, answer) => {
    const { port } = server.address()
    const outgoing = request({
      host: target.hostname,
      port: target.port,
      method: incoming.method,
      path: incoming.url,
      headers: [...renamed(incoming.rawHeaders, port, target.host), 'Authorization', `Bearer ${token}`],
      agent: false,
    })
    outgoing.on('response', (response) => {
      answer.writeHead(response.statusCode, response.statusMessage, response.rawHeaders)
      answer.flushHeaders()
      response.pipe(answer)
      response.on('error', () => answer.destroy())
    })
    outgoing.on('error', () => answer.destroy())
    answer.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${server.address().port}${target.pathname}`, stop }
}

/** `rawHeaders` are name and value in turn, as Node reads and writes them. */
function renamed(rawHeaders, port, host) {
  return rawHeaders.map((text, n) => {
    if (n % 2 === 0) return text
    const name = rawHeaders[n - 1].toLowerCase()
    return name === 'host' || name === 'origin' ? nameGateway(text, port, host) : text
  })
}

/** `host` where the value of `Host` or `Origin` names the shim at `port`; every other value as it is. */
export function nameGateway(value, port, host) {
  const match = /^(https?:\/\/)?(localhost|127\.0\.0\.1|\[::1\]):(\d+)$/i.exec(value)
  return match !== null && Number(match[3]) === port ? `${match[1] ?? ''}${host}` : value
}
