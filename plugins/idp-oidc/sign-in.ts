import type { IdpBegin, IdpComplete, IdpFailure, IdpPerson, IdpRedirect } from '@gatehouse/sdk'
import { jwtVerify } from 'jose'
import * as client from 'openid-client'
import { z } from 'zod'
import { type Claims, isEnough, readClaims } from './claims.js'
import { ALGORITHMS, failureOf, type Known, type Providers, Refusal } from './provider.js'

/** What the way back needs of the way out. */
const Kept = z.strictObject({ verifier: z.string(), nonce: z.string() })

/** Authorization code with PKCE S256, `state` and `nonce` (OpenID Connect Core section 3.1, RFC 7636, RFC 9700). */
export async function begin(providers: Providers, asked: IdpBegin): Promise<IdpRedirect> {
  try {
    const { configuration, settled } = await providers.get(asked.idp)
    const verifier = client.randomPKCECodeVerifier()
    const nonce = client.randomNonce()
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: asked.redirectUri,
      scope: settled.scope,
      state: asked.state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(asked.loginHint === null ? {} : { login_hint: asked.loginHint }),
      ...(settled.hostedDomain === null ? {} : { hd: settled.hostedDomain }),
      ...(settled.acrValues.length === 0 ? {} : { acr_values: settled.acrValues.join(' ') }),
    })
    return { ok: true, url: url.href, kept: JSON.stringify({ verifier, nonce }) }
  } catch (thrown) {
    return failureOf(thrown)
  }
}

export async function complete(providers: Providers, asked: IdpComplete): Promise<IdpPerson | IdpFailure> {
  try {
    const known = await providers.get(asked.idp)
    const { verifier, nonce } = Kept.parse(JSON.parse(asked.kept))
    const tokens = await client.authorizationCodeGrant(known.configuration, new URL(asked.callbackUrl), {
      pkceCodeVerifier: verifier,
      expectedNonce: nonce,
      expectedState: asked.state,
      idTokenExpected: true,
    })
    const claims = await verified(known, tokens)
    return personOf(known, tokens, claims)
  } catch (thrown) {
    return failureOf(thrown)
  }
}

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>

/** The library trusts the way that the ID token came; we check its signature as well. It is to leave this process later. */
async function verified({ keys, configuration, settled }: Known, tokens: Tokens): Promise<Claims> {
  const { issuer } = configuration.serverMetadata()
  const { payload } = await jwtVerify(tokens.id_token ?? '', keys, {
    algorithms: ALGORITHMS,
    issuer,
    audience: settled.clientId,
    clockTolerance: 30,
    requiredClaims: ['sub', 'exp', 'iat'],
  })
  const { acrValues } = settled
  if (acrValues.length > 0 && !acrValues.includes(String(payload['acr'])))
    throw new Refusal('the person was not authenticated as strongly as acrValues asks')
  return payload
}

async function personOf(known: Known, tokens: Tokens, claims: Claims): Promise<IdpPerson> {
  const { configuration, settled } = known
  const subject = String(claims['sub'])
  const hasMore = configuration.serverMetadata().userinfo_endpoint !== undefined && !isEnough(claims, settled)
  // The library refuses userinfo of another subject (OpenID Connect Core section 5.3.4).
  const userinfo: Claims = hasMore ? await client.fetchUserInfo(configuration, tokens.access_token, subject) : {}
  const session = claims['sid']
  return {
    ok: true,
    issuer: String(claims['iss']),
    subject,
    ...readClaims(claims, userinfo, settled),
    claims,
    session: typeof session === 'string' && session !== '' ? session : null,
    idToken: tokens.id_token ?? null,
    expiresAt: Number(claims['exp']) * 1_000,
  }
}
