import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { keyOf, PEOPLE, type Person } from './canaries.js'
import type { Caller } from './client-requests.js'

/** A server before the house: how it is dialled, and who stands behind its calls. */
export interface FuzzServer {
  readonly name: string
  readonly setup: Readonly<Record<string, unknown>>
  readonly identity: 'per-user' | 'shared' | 'open'
}

export interface FuzzHouse {
  readonly gateway: RunningGateway
  readonly port: number
  readonly callers: Readonly<Record<Person, Caller>>
}

const mail = (person: Person) => `${person}@example.com`

/** The gateway `house` for three people, each with a credential of their own at every server that takes one. */
export async function startFuzzHouse(servers: readonly FuzzServer[], limits: object): Promise<FuzzHouse> {
  const gateway = await startGateway({ yaml: JSON.stringify(fileOf(servers, limits)), env: secrets() })
  const port = Number(new URL(gateway.url).port)
  const callers = await Promise.all(
    PEOPLE.map(async (person): Promise<[Person, Caller]> => {
      const access: Access = await gateway.mintToken({ gateway: 'house', host: person, user: mail(person) })
      return [person, { person, token: access.token, path: new URL(access.url).pathname }]
    }),
  )
  return { gateway, port, callers: Object.fromEntries(callers) as Record<Person, Caller> }
}

const secrets = () =>
  Object.fromEntries([...PEOPLE, 'all' as const].map((whose) => [`KEY_${whose.toUpperCase()}`, keyOf(whose)]))

/** JSON is YAML. */
function fileOf(servers: readonly FuzzServer[], limits: object): object {
  const headersOf = (whose: string) => ({ 'X-Key': `\${env:KEY_${whose.toUpperCase()}}` })
  const identities = servers.flatMap(({ name, identity }): [string, object][] =>
    identity === 'per-user'
      ? PEOPLE.map((person) => [`${name}-${person}`, { server: name, owner: mail(person), headers: headersOf(person) }])
      : identity === 'shared'
        ? [[`${name}-all`, { server: name, shared: true, headers: headersOf('all') }]]
        : [],
  )
  return {
    version: 1,
    settings: { limits },
    users: Object.fromEntries(PEOPLE.map((person) => [mail(person), { role: 'member' }])),
    teams: { crew: { members: PEOPLE.map(mail) } },
    servers: Object.fromEntries(servers.map(({ name, setup }) => [name, setup])),
    identities: Object.fromEntries(identities),
    gateways: {
      house: {
        teams: ['crew'],
        servers: servers.map(({ name, identity }) => ({
          server: name,
          identity: identity === 'shared' ? { shared: `${name}-all` } : identity,
        })),
      },
    },
  }
}

/** What the log of a gateway must not hold. */
export function troubleIn(gateway: RunningGateway): readonly string[] {
  const BAD = /"level":(?:50|60)|GH_INTERNAL|a call broke|a request broke|nobody awaited|unhandled|uncaught/i
  return gateway
    .logs()
    .split('\n')
    .filter((line) => BAD.test(line))
}

/** Throws unless the process that was started is still the one that answers. */
export function mustLive({ pid }: RunningGateway): void {
  process.kill(pid, 0)
}
