import { z } from 'zod'
import { strict } from '../../configuration/problems.js'
import { GatehouseError } from '../../errors.js'
import { operation } from './operation.js'
import type { ApiOptions, Operation } from './operation.js'

const need = 'createAndManageApiTokens'

const ClientAnswer = z.object({
  clientId: z.string(),
  name: z.string(),
  redirectUris: z.array(z.string()),
  confidential: z.boolean(),
  assertions: z.boolean(),
  createdAt: z.string(),
})
const MadeClient = ClientAnswer.extend({ secret: z.string().nullable().describe('shown this once') })
const ClientInput = strict({
  name: z.string().trim().min(1).max(100),
  redirectUris: z.array(z.string().max(2_048)).max(10).optional(),
  confidential: z.boolean().optional(),
  assertions: z.boolean().optional(),
})

/** AI clients that are made by hand, and the keys of the authorization server. */
export function oauthOperations({ oauth }: ApiOptions): Operation[] {
  const find = async (clientId: string) => {
    const client = await oauth.clients.find(clientId)
    if (client === null) throw new GatehouseError('GH_API_NOT_FOUND', { message: `no OAuth client '${clientId}'` })
    return client
  }
  return [
    operation({
      id: 'listOauthClients',
      method: 'get',
      path: '/oauth-clients',
      summary: 'Lists the OAuth clients that were made by hand.',
      need,
      output: z.object({ items: z.array(ClientAnswer) }),
      handle: async () => ({ items: await oauth.clients.all() }),
    }),
    operation({
      id: 'getOauthClient',
      method: 'get',
      path: '/oauth-clients/{id}',
      summary: 'Shows an OAuth client, by its client id.',
      need,
      output: ClientAnswer,
      handle: ({ params }) => find(params['id'] ?? ''),
    }),
    operation({
      id: 'createOauthClient',
      method: 'post',
      path: '/oauth-clients',
      summary:
        'Makes an OAuth client for an AI client that cannot register by itself, or for assertions of an identity provider.',
      need,
      input: ClientInput,
      output: MadeClient,
      handle: async ({ input }) => {
        const { name, redirectUris = [], confidential = true, assertions = false } = input
        const { client, secret } = await oauth.clients.add({ name, redirectUris, confidential, assertions })
        return { ...client, secret }
      },
    }),
    operation({
      id: 'deleteOauthClient',
      method: 'delete',
      path: '/oauth-clients/{id}',
      summary: 'Removes an OAuth client and ends all that was granted to it.',
      need,
      handle: async ({ params }) => oauth.clients.remove((await find(params['id'] ?? '')).clientId),
    }),
    operation({
      id: 'turnOauthKeys',
      method: 'post',
      path: '/oauth-keys/turn',
      summary:
        'Takes the next step in the rotation of the authorization server’s keys: announce new ones, then use them.',
      need: 'manageWorkspaceSettings',
      handle: () => oauth.turnKeys({ hurry: true }),
    }),
  ]
}
