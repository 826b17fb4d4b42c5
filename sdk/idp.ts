/** One configured identity provider, as its plugin gets it with every question. */
export interface IdpInstance {
  readonly id: string
  readonly slug: string
  /** The plugin's own keys, strictly parsed, with their secrets. */
  readonly config: Readonly<Record<string, unknown>>
}

/** What did not go as it should. `reason` is for the log: it never holds codes, tokens or secrets, and no person sees it. */
export interface IdpFailure {
  readonly ok: false
  /** `refused`: the provider or a check said no. `unavailable`: the provider could not be asked; later it may be. */
  readonly failure: 'refused' | 'unavailable'
  readonly reason: string
}

/** Payload of `idp.begin`. */
export interface IdpBegin {
  readonly idp: IdpInstance
  /** The gateway's one callback. */
  readonly redirectUri: string
  /** Must come back unchanged as the parameter `state`. */
  readonly state: string
  readonly loginHint: string | null
}
export type IdpRedirect =
  | {
      readonly ok: true
      readonly url: string
      /** Opaque; core keeps it sealed and hands it to `idp.complete`. */
      readonly kept: string
    }
  | IdpFailure

/** Payload of `idp.complete`. That `state` is one of this browser's has been checked. */
export interface IdpComplete {
  readonly idp: IdpInstance
  /** The callback with all that the provider added. */
  readonly callbackUrl: string
  readonly state: string
  readonly kept: string
}
/** Who came back, as the provider says and the plugin has verified. */
export interface IdpPerson {
  readonly ok: true
  readonly issuer: string
  readonly subject: string
  readonly email: string
  /** True only when the provider itself vouches that the address is this person's. */
  readonly emailVerified: boolean
  readonly name: string
  /** Null: the provider did not say which, so that nothing may follow from it. */
  readonly groups: readonly string[] | null
  readonly claims: Readonly<Record<string, unknown>>
  /** The provider's own session (`sid`), when it names one. */
  readonly session: string | null
  /** The ID token as it came, for token exchange; null when there is none. */
  readonly idToken: string | null
  /** Milliseconds since the epoch at which the ID token ends. */
  readonly expiresAt: number | null
}

/** Payload of `idp.logout`: a person signs out here and wants to do so there. */
export interface IdpLogout {
  readonly idp: IdpInstance
  /** The ID token of the sign-in, while it is kept. */
  readonly idToken: string | null
  readonly returnTo: string
}

/** Payload of `idp.notice`: somebody says that a session has ended (OpenID Connect Back-Channel Logout 1.0). */
export interface IdpNotice {
  readonly idp: IdpInstance
  readonly token: string
}
export type IdpEnded =
  | { readonly kind: 'notMine' }
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'ended'
      readonly issuer: string
      /** At least one of the two is not null. */
      readonly subject: string | null
      readonly session: string | null
      /** Names this notice: it counts once. */
      readonly id: string
      /** Milliseconds since the epoch. */
      readonly expiresAt: number
    }

/** Answer of `idp.describe`: what the provider says of itself, asked anew; so it is the test of a configuration, too. */
export type IdpDescription =
  | {
      readonly ok: true
      readonly issuer: string
      /** Where its public keys are. */
      readonly jwksUri: string | null
      /** Whether it can tell that a session has ended, and where it lets people sign out. */
      readonly backchannelLogout: boolean
      readonly endSession: boolean
      /** What an administrator should know, one sentence each. */
      readonly notes: readonly string[]
    }
  | IdpFailure
