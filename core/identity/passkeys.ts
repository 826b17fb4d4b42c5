import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type AuthenticationResponseJSON,
  type AuthenticatorTransport,
  type RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { isIP } from 'node:net'
import { z } from 'zod'
import type { OneTimeRows } from '../db/repositories/one-time.js'
import type { PasskeyRow, PasskeyRows } from '../db/repositories/passkeys.js'
import { GatehouseError } from '../errors.js'
import { createOneTime } from './one-time.js'

/** Ed25519, P-256, RSA: what every supported version of Node verifies. Newer ones are offered only when all do. */
const ALGORITHMS = [-8, -7, -257]
const TTL_MS = 5 * 60_000
const MOST = 20

export interface PasskeyOptions {
  readonly rows: PasskeyRows
  readonly oneTime: OneTimeRows
  /** The public base URL; its host is what passkeys are for (WebAuthn, section 5.1.2). */
  readonly url: () => string
}

export interface PasskeyOwner {
  readonly id: string
  readonly email: string
  readonly name: string
}

/** `reason` is for the log. */
export type PasskeyCheck =
  { readonly ok: true; readonly userId: string } | { readonly ok: false; readonly reason: string }

/** Passkeys (WebAuthn): the authenticator names the person, and says that it has seen them. */
export interface Passkeys {
  /** Not at an IP address, and not over plain http but on this machine: browsers refuse. */
  isPossible(): boolean
  /** What the browser makes a key from. `bound` is the session that must come back with it. */
  beginNew(owner: PasskeyOwner, bound: string): Promise<object>
  /** Null when it is kept, else why not. `response` is JSON as the browser gave it. */
  keepNew(owner: PasskeyOwner, bound: string, made: { response: string; name: string }): Promise<string | null>
  beginSignIn(bound: string): Promise<object>
  signIn(bound: string, response: string): Promise<PasskeyCheck>
  of(userId: string): Promise<readonly PasskeyRow[]>
  rename: PasskeyRows['rename']
  remove: PasskeyRows['remove']
  removeOf: PasskeyRows['removeOf']
}

// Only what we look at ourselves; the rest is the library's to check.
const Response = z.looseObject({
  id: z.string().min(1).max(1_400),
  response: z.looseObject({ userHandle: z.string().optional() }),
})

export function createPasskeys({ rows, oneTime, url }: PasskeyOptions): Passkeys {
  const made = createOneTime(oneTime, 'passkey_new', z.object({}))
  const used = createOneTime(oneTime, 'passkey_use', z.object({}))
  const host = () => new URL(url()).hostname
  const expected = () => ({
    expectedOrigin: new URL(url()).origin,
    expectedRPID: host(),
    requireUserVerification: true,
  })
  const mint = async (challenges: typeof made, bound: string) =>
    Buffer.from(await challenges.mint({ payload: {}, ttlMs: TTL_MS, bound }), 'base64url')

  return {
    isPossible: () =>
      isIP(host().replace(/^\[|\]$/g, '')) === 0 && (url().startsWith('https:') || host() === 'localhost'),
    async beginNew({ id, email, name }, bound) {
      const present = await rows.of(id)
      return generateRegistrationOptions({
        rpName: 'Gatehouse',
        rpID: host(),
        userID: Buffer.from(id),
        userName: email,
        userDisplayName: name === '' ? email : name,
        challenge: await mint(made, bound),
        attestationType: 'none',
        supportedAlgorithmIDs: ALGORITHMS,
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        excludeCredentials: present.map((key) => ({ id: key.id, transports: transportsOf(key) })),
      })
    },
    async keepNew({ id: userId }, bound, { response, name }) {
      const given = read(response)
      if (given === null) return 'the browser sent nothing that can be read'
      if ((await rows.of(userId)).length >= MOST) return `a person has at most ${MOST} passkeys`
      const verified = await verifyRegistrationResponse({
        ...expected(),
        response: given as unknown as RegistrationResponseJSON,
        expectedChallenge: async (challenge) => (await made.take(challenge, bound)) !== null,
        supportedAlgorithmIDs: ALGORITHMS,
      }).catch((thrown: unknown) => reasonOf(thrown))
      if (typeof verified === 'string') return verified
      if (!verified.verified) return 'the new passkey could not be verified'
      const { id, publicKey, counter, transports = [] } = verified.registrationInfo.credential
      if ((await rows.find(id)) !== null) return 'this passkey is known already'
      await rows.insert({ id, userId, name, publicKey: Buffer.from(publicKey), counter, transports })
      return null
    },
    beginSignIn: async (bound) =>
      generateAuthenticationOptions({
        rpID: host(),
        challenge: await mint(used, bound),
        userVerification: 'required',
      }),
    async signIn(bound, response) {
      const refuse = (reason: string): PasskeyCheck => ({ ok: false, reason })
      const given = read(response)
      if (given === null) return refuse('the browser sent nothing that can be read')
      const key = await rows.find(given.id)
      if (key === null) return refuse('the passkey is unknown')
      if (given.response.userHandle !== Buffer.from(key.userId).toString('base64url'))
        return refuse('the passkey names another person')
      const verified = await verifyAuthenticationResponse({
        ...expected(),
        response: given as unknown as AuthenticationResponseJSON,
        expectedChallenge: async (challenge) => (await used.take(challenge, bound)) !== null,
        credential: { ...key, publicKey: new Uint8Array(key.publicKey), transports: transportsOf(key) },
      }).catch((thrown: unknown) => reasonOf(thrown))
      if (typeof verified === 'string') return refuse(verified)
      if (!verified.verified) return refuse('the signature of the passkey is wrong')
      const isFresh = await rows.used(key.id, verified.authenticationInfo.newCounter)
      return isFresh ? { ok: true, userId: key.userId } : refuse('the counter of the passkey did not rise')
    },
    of: rows.of,
    rename: rows.rename,
    remove: rows.remove,
    removeOf: rows.removeOf,
  }
}

function read(text: string): z.output<typeof Response> | null {
  try {
    const parsed = Response.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

const transportsOf = ({ transports }: PasskeyRow) => transports as AuthenticatorTransport[]

/** What the library throws says what did not fit; it is for the log alone. */
function reasonOf(thrown: unknown): string {
  // The challenge is asked for in the database, which may be away.
  if (thrown instanceof GatehouseError) throw thrown
  return thrown instanceof Error ? thrown.message : String(thrown)
}
