import { createHash, randomBytes } from 'node:crypto'
import { Client } from 'pg'
import type { RunningGateway } from './gateway.js'
import { createTestBrowser, type TestBrowser } from './oauth/test-browser.js'

/** People who are signed in already: how they came in is not what the test is about. */
export interface SignedInPeople {
  person(email: string): Promise<TestBrowser>
  stop(): Promise<void>
}

export async function signedInPeople({ url, databaseUrl }: RunningGateway): Promise<SignedInPeople> {
  const client = new Client({ connectionString: databaseUrl ?? '' })
  await client.connect()
  return {
    async person(email) {
      const secret = randomBytes(32).toString('base64url')
      await client.query(
        `insert into console_sessions (id_hash, user_id, method) select $1, id, 'password' from users where email = $2`,
        [createHash('sha256').update(secret).digest('hex'), email],
      )
      const browser = createTestBrowser(url)
      browser.setCookie('gh_session', secret)
      return browser
    },
    stop: () => client.end(),
  }
}
