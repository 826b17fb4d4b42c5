import { createHash, randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { answering, fakeUpstream } from '../fake-upstream.js'
import { type GatewayOptions, type RunningGateway, startGateway } from '../gateway.js'
import { createTestBrowser, type TestBrowser } from './test-browser.js'

export interface OauthHouse {
  readonly gateway: RunningGateway
  readonly url: string
  sql(text: string, given?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  /** A browser in which this person is signed in to the console. */
  person(email: string, at?: string): Promise<TestBrowser>
  signIn(browser: TestBrowser, email: string): Promise<void>
  /** One call of a tool at the MCP door. */
  call(path: string, token: string | null, more?: RequestInit): Promise<Response>
  stop(): Promise<void>
}

/** Ann is of the team that has `eng`, Bob of the one that has `ops`, Carl of both, Dora may not let clients in. */
export const oauthYaml = (upstream: string, settings: string) => `version: 1
${settings === '' ? '' : `settings: ${settings}\n`}roles: { reader: { capabilities: [] } }
users:
  ann@example.com: {}
  bob@example.com: {}
  carl@example.com: {}
  dora@example.com: { role: reader }
teams:
  engineering: { members: [ann@example.com, carl@example.com, dora@example.com] }
  operations: { members: [bob@example.com, carl@example.com] }
servers:
  tool: { url: "${upstream}" }
gateways:
  eng: { title: Engineering, teams: [engineering], servers: [ { server: tool } ] }
  ops: { title: Operations, teams: [operations], servers: [ { server: tool } ] }
`

export async function oauthHouse({
  settings = '',
  ...options
}: GatewayOptions & { settings?: string } = {}): Promise<OauthHouse> {
  const upstream = await fakeUpstream(answering({ content: [{ type: 'text', text: 'done' }], resultType: 'complete' }))
  const gateway = await startGateway({ yaml: oauthYaml(upstream.url, settings), ...options })
  const database = new Client({ connectionString: gateway.databaseUrl ?? '' })
  await database.connect()
  const sql: OauthHouse['sql'] = async (text, given = []) => (await database.query(text, [...given])).rows
  const signIn: OauthHouse['signIn'] = (browser, email) => openSession(sql, browser, email)
  return {
    gateway,
    url: gateway.url,
    sql,
    signIn,
    async person(email, at = gateway.url) {
      const browser = createTestBrowser(at)
      await signIn(browser, email)
      return browser
    },
    call: (path, token, more = {}) =>
      fetch(`${gateway.url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'act', arguments: {} } }),
        ...more,
      }),
    async stop() {
      await database.end()
      await gateway.stop()
      await upstream.stop()
    },
  }
}

type Sql = OauthHouse['sql']

/** Signs in as the sign-in page would, had the person given what it asks for. */
export async function openSession(sql: Sql, browser: TestBrowser, email: string): Promise<void> {
  const secret = randomBytes(32).toString('base64url')
  await sql(
    `insert into console_sessions (id_hash, user_id, method) select $1, id, 'password' from users where email = $2`,
    [createHash('sha256').update(secret).digest('hex'), email],
  )
  browser.setCookie('gh_session', secret)
}
