import { startGateway } from '../gateway.js'
import type { Access, GatewayOptions, RunningGateway } from '../gateway.js'
import { startGuardedServer } from './guarded-server.js'
import type { GuardedOptions, GuardedServer } from './guarded-server.js'
import { personOf } from './person.js'
import type { Person } from './person.js'
import { startSignInServer } from './sign-in-server.js'
import type { SignInOptions, SignInServer } from './sign-in-server.js'

/** A gateway in front of a server that has a sign-in, and the people behind it. */
export interface House {
  readonly gateway: RunningGateway
  readonly signIn: SignInServer
  readonly server: GuardedServer
  /** The page on which a person gives their identity. */
  readonly page: string
  person(name: string): Promise<Person>
  access(name: string, host?: string): Promise<Access>
  /** The person gives their access, at the sign-in as `as`. */
  connect(person: Person, as: string): Promise<void>
  stop(): Promise<void>
}

export interface HouseOptions extends SignInOptions {
  readonly guarded?: Partial<GuardedOptions>
  readonly auth?: (signIn: SignInServer) => string
  readonly identity?: string
  readonly identities?: string
  readonly env?: Readonly<Record<string, string>>
  readonly gateway?: Partial<GatewayOptions>
}

export const yamlOf = (url: string, { auth = 'oauth', identity = 'per-user', identities = '' } = {}) => `
version: 1
users:
  ann@example.com: { role: administrator }
  mia@example.com: { role: member }
  max@example.com: { role: member }
  zoe@example.com: { role: member }
teams: { crew: { members: [ann@example.com, mia@example.com, max@example.com, zoe@example.com] } }
servers: { crm: { url: "${url}", auth: ${auth} } }
${identities}
gateways: { office: { teams: [crew], servers: [{ server: crm, identity: ${identity} }] } }
hosts: { bot: { kind: token } }
`

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const signIn = await startSignInServer(options)
  const server = await startGuardedServer({ signIn, ...options.guarded })
  const { identity, identities } = options
  const gateway = await startGateway({
    yaml: yamlOf(server.url, {
      ...(options.auth === undefined ? {} : { auth: options.auth(signIn) }),
      ...(identity === undefined ? {} : { identity }),
      ...(identities === undefined ? {} : { identities }),
    }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...options.gateway,
  })
  const page = `${gateway.url}/connect/identity/office/crm`
  return {
    gateway,
    signIn,
    server,
    page,
    person: (name) => personOf(gateway, `${name}@example.com`),
    access: (name, host = 'bot') => gateway.mintToken({ gateway: 'office', host, user: `${name}@example.com` }),
    async connect(person, as) {
      signIn.person = as
      const done = await person.submit(await person.get(page))
      if (!done.text.includes('Connected.'))
        throw new Error(`not connected: ${done.way.join(' ')} ${done.text} ${gateway.logs().slice(-3000)}`)
    },
    async stop() {
      await gateway.stop()
      await Promise.all([server.stop(), signIn.stop()])
    },
  }
}
