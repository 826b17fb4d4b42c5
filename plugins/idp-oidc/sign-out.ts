import type { IdpEnded, IdpLogout, IdpNotice } from '@gatehouse/sdk'
import { decodeJwt, type JWTPayload, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { settle } from './config.js'
import { ALGORITHMS, failureOf, type Providers } from './provider.js'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
/** A notice is of now (Back-Channel Logout section 2.6: "a small number of minutes"). */
const AGE_S = 300

/** Where the provider lets people sign out (RP-Initiated Logout 1.0); null when it has no such place. */
export async function logout(providers: Providers, asked: IdpLogout): Promise<{ readonly url: string | null }> {
  const { configuration } = await providers.get(asked.idp)
  if (configuration.serverMetadata().end_session_endpoint === undefined) return { url: null }
  const hint = asked.idToken === null ? {} : { id_token_hint: asked.idToken }
  const url = client.buildEndSessionUrl(configuration, { post_logout_redirect_uri: asked.returnTo, ...hint })
  return { url: url.href }
}

/** A logout token, verified as OpenID Connect Back-Channel Logout 1.0 section 2.6 says. */
export async function notice(providers: Providers, asked: IdpNotice): Promise<IdpEnded> {
  // Before anything is fetched for it: whose would it be?
  if (!isFor(asked)) return { kind: 'notMine' }
  try {
    const { keys, settled } = await providers.get(asked.idp)
    const { payload, protectedHeader } = await jwtVerify(asked.token, keys, {
      algorithms: ALGORITHMS,
      issuer: settled.issuer,
      audience: settled.clientId,
      maxTokenAge: AGE_S,
      clockTolerance: 30,
      requiredClaims: ['iat', 'jti', 'events'],
    })
    // Some leave `typ` out or write the general word; what is typed as something else is something else (section 2.4).
    const { typ } = protectedHeader
    if (typ !== undefined && !/^(application\/)?(logout\+jwt|jwt)$/i.test(typ)) return refused(`typ is ${typ}`)
    return endedBy(payload, settled.issuer)
  } catch (thrown) {
    return refused(failureOf(thrown).reason)
  }
}

function endedBy(payload: JWTPayload, issuer: string): IdpEnded {
  const {
    sub,
    sid,
    jti,
    events,
    nonce,
    iat = 0,
    exp,
  } = payload as JWTPayload & Record<'sid' | 'events' | 'nonce', unknown>
  if (nonce !== undefined) return refused('it has a nonce, as an ID token has')
  if (typeof events !== 'object' || events === null || !isObject((events as Record<string, unknown>)[EVENT]))
    return refused('it is not of the event of a logout')
  const subject = typeof sub === 'string' && sub !== '' ? sub : null
  const session = typeof sid === 'string' && sid !== '' ? sid : null
  if (subject === null && session === null) return refused('it names neither sub nor sid')
  const expiresAt = Math.max(exp ?? 0, iat + AGE_S + 60) * 1_000
  return { kind: 'ended', issuer, subject, session, id: String(jti), expiresAt }
}

function isFor({ idp, token }: IdpNotice): boolean {
  try {
    const { iss, aud } = decodeJwt(token)
    const { issuer, clientId } = settle(idp.config)
    return iss === issuer && [aud].flat().includes(clientId)
  } catch {
    return false
  }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const refused = (reason: string): IdpEnded => ({ kind: 'refused', reason })
