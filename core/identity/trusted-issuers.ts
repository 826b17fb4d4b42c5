import type { JWTVerifyGetKey } from 'jose'

/** An identity provider whose word on people counts here. */
export interface TrustedIssuer {
  /** Its keys, as they are now. */
  readonly keys: JWTVerifyGetKey
  /** Id of the person whom it calls by this subject; null: they never signed in through it. */
  userOf(subject: string): Promise<string | null>
}

/** The identity providers that are configured, by their issuer. */
export interface TrustedIssuers {
  find(issuer: string): Promise<TrustedIssuer | null>
}

/** Nobody vouches for anybody. */
export const NO_ISSUERS: TrustedIssuers = { find: async () => null }
