import type { Context } from 'koa'
import type { IdpPerson } from '@gatehouse/sdk'
import type { Idp } from '../../../domain/nouns.js'
import type { SsoOptions } from './options.js'

export interface Entering {
  readonly idp: Idp
  readonly person: Pick<IdpPerson, 'issuer' | 'subject' | 'session' | 'groups' | 'idToken' | 'expiresAt'>
  readonly userId: string
}

/** Lets in whom the provider vouches for: teams first, so that the first page shows what they give. */
export async function enter(ctx: Context, { idp, person, userId }: Entering, options: SsoOptions): Promise<void> {
  const { issuer, subject, session, idToken, expiresAt } = person
  await options.arrivals.followGroups(idp, userId, person.groups)
  if (idToken !== null && expiresAt !== null)
    await options.tokens.keep(userId, { idToken, issuer, idpId: idp.id, expiresAt })
  await options.browser.signIn(ctx, userId, { method: 'sso', idp: { idpId: idp.id, issuer, subject, session } })
}
