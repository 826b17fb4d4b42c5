import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Identity } from '../../domain/nouns.js'
import type { Grant } from '../../domain/store.js'
import { HeldGrant } from './held-grant.js'
import { writeTokens } from './tokens.js'

const grantOf = (access: string, version: number): Grant => ({
  identityId: 'i',
  issuer: 'https://as.example.com',
  clientId: 'c',
  scope: null,
  tokens: writeTokens({
    access,
    refresh: null,
    client: { client_id: 'c' },
    tokenEndpoint: 'https://as.example.com/token',
    authMethods: [],
    resource: null,
  }),
  version,
  obtainedAt: 0,
  expiresAt: null,
  lastError: null,
  wantedScope: null,
  stepUps: 0,
  isTried: false,
})
const identityOf = (updatedAt: string) => ({ id: 'i', slug: 'i', updatedAt }) as Identity

test('what was read before somebody signed in as another account is not used after', async () => {
  let stored = grantOf('of-the-old-account', 1)
  const reads: (() => void)[] = []
  const held = new HeldGrant(identityOf('2026-01-01T00:00:00.000Z'), {
    // A read sees what stood when it began, and may take its time.
    find: (_, seen = stored) => new Promise((resolve) => reads.push(() => resolve(seen))),
    renew: async () => ({ kind: 'gone' }),
    want: async () => undefined,
    onEnd: async () => undefined,
    now: Date.now,
    random: () => 0.5,
  })
  const answer = () => void reads.shift()?.()
  const patience = { deadline: Date.now() + 5_000, signal: undefined }
  const first = held.ready(patience)
  stored = grantOf('of-the-new-account', 2)
  const second = held.meet(identityOf('2026-01-02T00:00:00.000Z')).ready(patience)
  for (let n = 0; n < 3; n += 1) {
    answer()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all([first, second])
  assert.is(held.token, 'of-the-new-account')
})

test.run()
