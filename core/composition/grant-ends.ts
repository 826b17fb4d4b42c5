import { GATEWAY } from '../configuration/work.js'
import type { Identity } from '../domain/nouns.js'
import type { Grant } from '../domain/store.js'
import type { GrantEnds } from '../oauth/client/grants.js'
import type { Alerting } from '../domain/alerts.js'
import { type House, PARTS, type Surroundings } from './house.js'

export function createGrantEnds(house: House, alerting: Alerting, log: Surroundings['log']): GrantEnds {
  /** Of these it is known that no alert stands. */
  const calm = new Set<string>()

  const authorised = ({ id }: Pick<Identity, 'id'>): void => {
    if (calm.has(id)) return
    calm.add(id)
    void alerting.resolve('identity_refresh_failed', id)
  }
  const alarm = (identity: Identity, reason: string): void => {
    calm.delete(identity.id)
    void alerting.raise({
      type: 'identity_refresh_failed',
      severity: 'error',
      key: identity.id,
      serverId: identity.serverId,
      message: `The access of identity '${identity.slug}' could not be renewed: ${reason}`,
      context: { identity: identity.slug, reason },
    })
  }

  return {
    authorised,
    async ended(identity, end, isExpired) {
      if (end.kind === 'grant') return authorised(identity)
      const reason = end.kind === 'gone' ? 'nobody has given it' : end.reason
      log.warn({ identity: identity.slug, outcome: end.kind, reason }, 'the access of an identity was not renewed')
      if (end.kind === 'later') return isExpired ? alarm(identity, reason) : undefined
      alarm(identity, reason)
      const lost = end.kind === 'unknown' ? await unknownClient(house, identity, end.grant) : [identity.id]
      await needReauth(house, lost, end.kind === 'gone' ? null : end.grant)
    },
  }
}

/** The sign-in has forgotten us: we register anew, and everything that the old client obtained is void. */
async function unknownClient(house: House, { id, serverId }: Identity, grant: Grant): Promise<readonly string[]> {
  const { grants, upstreamClients } = house.get(PARTS.store)
  const lost = await grants.ofClient(serverId, grant.issuer, grant.clientId)
  await upstreamClients.remove(serverId, grant.issuer)
  return [...new Set([id, ...lost])]
}

/** Their tools stay as they were last seen; a call is answered with the way to authorise. */
async function needReauth(house: House, ids: readonly string[], ended: Grant | null): Promise<void> {
  await house.get(PARTS.configuration).mutations.change(GATEWAY, async ({ store }) => {
    for (const id of ids) {
      const identity = await store.identities.find(id)
      const grant = await store.grants.find(id)
      // Somebody has authorised meanwhile.
      const isNew = grant !== null && (ended === null || (id === ended.identityId && grant.version !== ended.version))
      if (identity === null || isNew || identity.status === 'needs_reauth') continue
      await store.identities.update(id, { status: 'needs_reauth' })
    }
  })
}
