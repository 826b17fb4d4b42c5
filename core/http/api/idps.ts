import { z } from 'zod'
import { createIdp, removeIdp, untiePerson, updateIdp } from '../../configuration/nouns/idps.js'
import { idpShape, slug } from '../../configuration/schemas.js'
import { mustExist } from '../../configuration/work.js'
import type { Idp } from '../../domain/nouns.js'
import { IdpAnswer, IdpTestAnswer } from './answers.js'
import { crud } from './crud.js'
import { NEEDS } from './needs.js'
import { operation } from './operation.js'
import type { ApiOptions, Operation } from './operation.js'

const need = 'manageSsoScimMapping'

export function idpOperations(options: ApiOptions): Operation[] {
  const { store, mutations } = options
  const one = (reference: string) => mustExist(store.idps, 'identity provider', reference)
  return [
    ...crud({
      name: 'idp',
      path: '/idps',
      see: need,
      needs: NEEDS.idps,
      answer: IdpAnswer,
      create: z.looseObject({ slug, ...idpShape }),
      patch: z.looseObject({ ...idpShape, plugin: slug.optional() }),
      about: {
        list: 'Lists the identity providers.',
        create: 'Adds an identity provider. Keys of its plugin stand beside the others.',
        update:
          'Changes what is named; a key of its plugin that is null is taken away. A disabled one ends its sessions.',
        delete: 'Removes an identity provider and ends the sessions that rest on it; its people stay.',
      },
      mutations,
      rows: () => store.idps.all(),
      one: (_, reference) => one(reference),
      show: async (idp) => show(options, idp),
      doCreate: (work, { slug, ...input }) => createIdp(work, slug, input),
      doUpdate: updateIdp,
      doRemove: removeIdp,
    }),
    operation({
      id: 'testIdp',
      method: 'post',
      path: '/idps/{id}/test',
      summary: 'Asks the provider for its metadata, anew, and tells what to paste there.',
      need,
      output: IdpTestAnswer,
      handle: async ({ params }) => {
        const idp = await one(params['id'] ?? '')
        return { ...(await options.describeIdp(idp)), ...addresses(options, idp) }
      },
    }),
    operation({
      id: 'untieIdpPerson',
      method: 'delete',
      path: '/idps/{id}/people/{user}',
      summary: 'Unties a person, by id or e-mail address, from the account there: for an address that was given on.',
      need,
      handle: async ({ actor, params }) => {
        const { id = '', user = '' } = params
        await mutations.change(actor, (work) => untiePerson(work, id, user))
      },
    }),
  ]
}

function show(options: ApiOptions, idp: Idp): unknown {
  const { config, ...plain } = idp
  return { ...config, ...plain, ...addresses(options, idp) }
}

/** What an administrator pastes into the provider's own console. */
function addresses({ url }: ApiOptions, { slug: name }: Idp) {
  return {
    redirectUri: `${url()}/auth/sso/callback`,
    initiateLoginUri: `${url()}/auth/sso/start?idp=${name}`,
    backchannelLogoutUri: `${url()}/auth/sso/backchannel`,
    postLogoutRedirectUri: `${url()}/auth/signin`,
  }
}
