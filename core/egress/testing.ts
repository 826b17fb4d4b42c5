import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import * as assert from 'uvu/assert'
import type { Lookup } from './resolve.js'

/** A certificate for `upstream.example` alone, trusted by nobody who is not told to. */
export const TEST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBqTCCAVCgAwIBAgIUNVcQ4jKe8LhksR6VPkpjmfYkuZcwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQdXBzdHJlYW0uZXhhbXBsZTAgFw0yNjExMjIyMjE2MzNaGA8y
MTI2MTAyOTIyMTYzM1owGzEZMBcGA1UEAwwQdXBzdHJlYW0uZXhhbXBsZTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABEJ1pKcgI0+IjeHilNVW6X8yppLpOwtOnjuI
IaVkmTj+pODRevOzPSHt3sEXVICrj7oVRFpHxBiRde63QS3sMh+jcDBuMB0GA1Ud
DgQWBBSVayY6Qzr9hC2IX5TTxIuzCqejCTAfBgNVHSMEGDAWgBSVayY6Qzr9hC2I
X5TTxIuzCqejCTAPBgNVHRMBAf8EBTADAQH/MBsGA1UdEQQUMBKCEHVwc3RyZWFt
LmV4YW1wbGUwCgYIKoZIzj0EAwIDRwAwRAIgG1ELQB1MPVzerkk/CRMPreb6Wp+z
VtndyQnzCCdASPMCIGKGTppt9PWiUht1FUptIFuPyCZHISLnAsO54Qik9OgK
-----END CERTIFICATE-----`

export const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7cunhE0wgwmN4ARP
a0eL8/sMZXsE7Sej2rP6+mRhb/+hRANCAARCdaSnICNPiI3h4pTVVul/MqaS6TsL
Tp47iCGlZJk4/qTg0Xrzsz0h7d7BF1SAq4+6FURaR8QYkXXut0Et7DIf
-----END PRIVATE KEY-----`

export interface TestServer {
  readonly port: number
  stop(): Promise<void>
}

export function serveHttp(handler: RequestListener): Promise<TestServer> {
  return listen(createServer(handler))
}

export function serveHttps(handler: RequestListener): Promise<TestServer> {
  return listen(createSecureServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, handler))
}

export async function listen(server: Server & { closeAllConnections?(): void }): Promise<TestServer> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections?.()
      await closed
    },
  }
}

/** A resolver that gives the next of its answers at each call, and then the last again; `asked` are the names. */
export function fakeLookup(...answers: readonly (readonly string[])[]): { lookup: Lookup; asked: string[] } {
  const asked: string[] = []
  const lookup: Lookup = async (host) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? []
    asked.push(host)
    if (answer.length === 0) throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    return answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
  return { lookup, asked }
}

/** That the work fails with this code; answers the error. */
export async function rejectsWith(code: string, work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (thrown: Error & { code?: string }) => thrown,
  )
  assert.is(error?.code, code, error?.stack ?? 'it did not fail')
  return error as Error
}
