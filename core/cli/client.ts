import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CommandError } from './io.js'
import type { Io } from './io.js'

/** Where the gateway's admin API is, and with which token. */
export interface Credential {
  readonly url: string
  readonly token: string
}

export interface Client {
  readonly url: string
  get(path: string, query?: Readonly<Record<string, string | undefined>>): Promise<unknown>
  post(path: string, body?: unknown): Promise<unknown>
  patch(path: string, body: unknown): Promise<unknown>
  /** Goes out even after the person has had enough: it is what then tidies up. */
  delete(path: string): Promise<unknown>
}

export const homeOf = ({ env, cwd }: Io): string => resolve(cwd, env['GATEHOUSE_HOME'] || '.gatehouse')

/** GATEHOUSE_API and GATEHOUSE_TOKEN, else what the running gateway left in its home. */
export async function findCredential(io: Io): Promise<Credential> {
  const { GATEHOUSE_API: url, GATEHOUSE_TOKEN: token } = io.env
  if (url && token) return checked({ url: url.replace(/\/+$/, ''), token })
  if (url || token) throw new CommandError('GATEHOUSE_API and GATEHOUSE_TOKEN come together: set both, or none.')
  const path = join(homeOf(io), 'cli.json')
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      error.code === 'ENOENT'
        ? `No gateway has left a credential at ${path}.\nStart one with: gatehouse start\nFor a gateway elsewhere set GATEHOUSE_API and GATEHOUSE_TOKEN; for another data folder, GATEHOUSE_HOME.`
        : `${path} cannot be read (${error.code}): run the command as the user who runs the gateway.`,
    )
  })
  return checked(JSON.parse(text) as Credential)
}

/** A token, and the secrets of a file, never travel in the clear. */
function checked(credential: Credential): Credential {
  if (!URL.canParse(credential.url)) throw new CommandError(`GATEHOUSE_API is no URL: ${credential.url}`)
  const { protocol, hostname } = new URL(credential.url)
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal))
    throw new CommandError(`A token is not sent to ${credential.url} in the clear: use https.`)
  return credential
}

export async function connect(io: Io): Promise<Client> {
  const { url, token } = await findCredential(io)
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      redirect: 'error',
      signal:
        method === 'DELETE' ? AbortSignal.timeout(10_000) : AbortSignal.any([io.signal, AbortSignal.timeout(60_000)]),
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      if (io.signal.aborted && method !== 'DELETE') throw error
      throw new CommandError(`Nothing answers at ${url} (${causeOf(error)}).\nStart the gateway with: gatehouse start`)
    })
    const text = await response.text()
    if (!response.ok) throw refusal(response.status, text)
    return text === '' ? null : (JSON.parse(text) as unknown)
  }
  return {
    url,
    get: (path, query = {}) => {
      const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
      return ask('GET', given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`)
    },
    post: (path, body) => ask('POST', path, body),
    patch: (path, body) => ask('PATCH', path, body),
    delete: (path) => ask('DELETE', path),
  }
}

function causeOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string } }
  return cause?.code ?? message
}

function refusal(status: number, text: string): CommandError {
  let message = `The gateway answered ${status}.`
  try {
    message = (JSON.parse(text) as { error: { message: string } }).error.message
  } catch {
    // Not an answer of ours: its status must do.
  }
  if (status === 401) message += '\nThe token is not valid: restart the gateway, or give another GATEHOUSE_TOKEN.'
  return new CommandError(message, status)
}
