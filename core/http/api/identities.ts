import { createIdentity, removeIdentity, updateIdentity } from '../../configuration/nouns/identities.js'
import { mustAuthorise } from '../../configuration/nouns/own-identities.js'
import { strict } from '../../configuration/problems.js'
import { identityShape, slug } from '../../configuration/schemas.js'
import { mustExist } from '../../configuration/work.js'
import { holds } from '../../domain/capabilities.js'
import type { Identity } from '../../domain/nouns.js'
import { GatehouseError } from '../../errors.js'
import { IdentityAnswer, LinkAnswer } from './answers.js'
import { crud } from './crud.js'
import { NEEDS } from './needs.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'

export function identityOperations({ store, mutations, url }: ApiOptions): Operation[] {
  const operations = crud({
    name: 'identity',
    plural: 'identities',
    path: '/identities',
    see: null,
    needs: NEEDS.identities,
    answer: IdentityAnswer,
    create: strict({ slug, ...identityShape }),
    patch: strict({
      shared: identityShape.shared,
      owner: identityShape.owner,
      headers: identityShape.headers,
      enabled: identityShape.enabled,
    }),
    about: {
      list: 'Lists your own identities, with viewAllIdentities all of them.',
      create: 'Gives a credential for a server: your own, or with identityManagement a shared one or one of another.',
      update: 'Changes an identity. Headers are replaced whole.',
    },
    mutations,
    rows: (call) => (seesAll(call) ? store.identities.all() : store.identities.ofUser(call.caller.id)),
    async one(call, reference) {
      const identity = await mustExist(store.identities, 'identity', reference)
      if (isVisible(call, identity)) return identity
      throw new GatehouseError('GH_API_NOT_FOUND', { message: `no identity '${reference}'` })
    },
    show: async (one) => ({
      ...one,
      server: (await store.servers.find(one.serverId))?.slug ?? one.serverId,
      owner: one.ownerId === null ? null : ((await store.users.find(one.ownerId))?.email ?? one.ownerId),
    }),
    doCreate: (work, { slug, ...input }) => createIdentity(work, slug, input),
    doUpdate: updateIdentity,
    doRemove: removeIdentity,
  })
  return [
    ...operations,
    operation({
      id: 'authorizeIdentity',
      method: 'post',
      path: '/identities/{id}/authorize',
      summary: 'Answers the page on which you sign in at the server for an identity: your own, or a shared one.',
      need: null,
      output: LinkAnswer,
      async handle({ actor, params }) {
        const { slug } = await mutations.rehearse(actor, (work) => mustAuthorise(work, params['id'] ?? ''))
        return { url: `${url()}/connect/identity/${slug}` }
      },
    }),
  ]
}

const seesAll = ({ caller }: ApiCall): boolean =>
  ['viewAllIdentities', 'identityManagement'].some((key) => holds(caller.capabilities, key))

const isVisible = (call: ApiCall, { shared, ownerId }: Identity): boolean =>
  seesAll(call) || (!shared && ownerId === call.caller.id)
