import type { PluginFetchInit } from '@gatehouse/sdk'
import type { Agent, Dispatcher } from 'undici'
import { startDeadline } from './deadline.js'
import { failure } from './failure.js'
import type { Policy } from './policy.js'
import { readResponse } from './response.js'
import type { EgressResponse } from './response.js'
import { readUrl } from './url.js'
import { GatehouseError } from '../errors.js'

export interface EgressCaps {
  /** Most bytes of one answer to `fetch`; 16 MiB. */
  readonly bytes: number
  /** Milliseconds for one exchange of `fetch`; 30,000. */
  readonly timeoutMs: number
  /** Milliseconds for one connection, DNS and TLS included; 10,000. */
  readonly connectMs: number
}

export type EgressInit = PluginFetchInit

export interface FetchParts {
  readonly agent: Agent
  readonly policy: Policy
  readonly caps: EgressCaps
}

type Fetch = (url: string | URL, init?: EgressInit) => Promise<EgressResponse>

/** One whole exchange: refused, redirected, late and oversized answers all throw a GatehouseError that names the host. */
export function createFetch({ agent, policy, caps }: FetchParts): Fetch {
  return async (text, init = {}) => {
    const url = readUrl(text)
    const { host } = policy.target(url)
    const deadline = startDeadline(init.timeoutMs ?? caps.timeoutMs, host, init.signal)
    try {
      const answer = await agent.request(requestOf(url, init, deadline.signal))
      return await settle(answer, host, Math.min(init.maxBytes ?? caps.bytes, caps.bytes))
    } catch (error) {
      if (deadline.signal.aborted) throw deadline.signal.reason
      throw failure(error, host)
    } finally {
      deadline.end()
    }
  }
}

async function settle(answer: Dispatcher.ResponseData, host: string, limit: number): Promise<EgressResponse> {
  try {
    if (!isRedirect(answer.statusCode)) return await readResponse(answer, limit)
    throw new GatehouseError('GH_EGRESS_REDIRECT', { message: `${host} redirects; redirects are not followed` })
  } catch (error) {
    answer.body.on('error', () => {}).destroy()
    throw error
  }
}

function requestOf(url: URL, init: EgressInit, signal: AbortSignal) {
  const { host: _host, ...headers } = lowerCased(init.headers ?? {})
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: (init.method ?? 'GET').toUpperCase() as Dispatcher.HttpMethod,
    headers: { 'accept-encoding': 'gzip', ...headers },
    body: init.body ?? null,
    signal,
    headersTimeout: 0,
    bodyTimeout: 0,
  }
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

// 304 answers a question of the caller's own and leads nowhere.
function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304
}
