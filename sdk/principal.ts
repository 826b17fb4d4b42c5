/**
 * Who is behind a call, as core resolved it. Plugins never make one: `auth.identify` answers a reference and core looks
 * up the rest, so that a disabled user, host or connection is refused whatever a plugin says.
 */
export interface Principal {
  /** The person the call is attributed to; null only for a host that no person stands behind. */
  readonly user: UserRef | null
  /** The AI client or agent. */
  readonly host: HostRef
  /** The link host–gateway–user that carries the credential. */
  readonly connection: ConnectionRef
  /** Set by `identity.enrich`: extra facts for rules and the record. Values are strings of at most 256 characters. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface UserRef {
  readonly id: string
  readonly email: string
  readonly name: string
  /** Ids of the user's teams. */
  readonly teams: readonly string[]
  readonly role: string
  /** Capability keys of the role; `*` stands for all of them (super admin). */
  readonly capabilities: ReadonlySet<string>
}
export interface HostRef {
  readonly id: string
  readonly name: string
  readonly kind: 'token' | 'oauth'
}
export interface ConnectionRef {
  readonly id: string
  readonly gatewayId: string
}

/** What `auth.identify` sees of a request. Header names are lower-case. */
export interface Credentials {
  readonly authorization: string | undefined
  readonly header: (name: string) => string | undefined
  /** The peer's address, after trusted proxies. */
  readonly address: string
  /** Id of the gateway that is called; null at the picker URL. */
  readonly gatewayId: string | null
}

/**
 * What `auth.identify` answers.
 *
 * - `notMine`: the next handler is asked.
 * - `token`: `hash` is the lower-case hex SHA-256 of the presented secret; core looks it up.
 * - `subject`: a person vouched for by an issuer the plugin has verified (signature, audience, expiry).
 * - `refused`: it is mine and bad; nobody else is asked and the client gets 401. `reason` goes to the log.
 */
export type Identification =
  | { readonly kind: 'notMine' }
  | { readonly kind: 'token'; readonly hash: string }
  | {
      readonly kind: 'subject'
      readonly issuer: string
      readonly subject: string
      readonly claims: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'refused'; readonly reason: string }

const NOT_MINE: Identification = Object.freeze({ kind: 'notMine' })
/** The credential is of another kind: ask the next handler. Allocates nothing. */
export const notMine = (): Identification => NOT_MINE
