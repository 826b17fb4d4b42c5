import { z } from 'zod'
import { createToken, revokeToken, updateToken } from '../../configuration/nouns/tokens.js'
import { TokenCreate, TokenPatch } from '../../configuration/schemas.js'
import { invalid } from '../../configuration/problems.js'
import { mustExist, mustRefer } from '../../configuration/work.js'
import { holds } from '../../domain/capabilities.js'
import type { Token } from '../../domain/nouns.js'
import { GatehouseError } from '../../errors.js'
import { MintedAnswer, TokenAnswer } from './answers.js'
import { crud } from './crud.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'
import { PageQuery } from './pages.js'

const TokenQuery = PageQuery.extend({
  kind: z.enum(['access', 'admin']).optional(),
  connection: z.uuid().optional(),
  user: z.string().min(1).max(320).optional(),
})

/** Whoever holds nothing still manages their own admin tokens: what else is needed is checked where the token is known. */
const OWN = { create: null, update: null, remove: null, fields: {} } as const

export function tokenOperations({ store, mutations, url }: ApiOptions): Operation[] {
  const show = async (token: Token) => ({
    ...token,
    user: token.userId === null ? null : ((await store.users.find(token.userId))?.email ?? token.userId),
  })
  /** Whoever sees no tokens of others does not learn who is here. */
  const personOf = async (caller: ApiCall['caller'], user: string) => {
    const seesOthers = ['createAndManageApiTokens', 'managePeople'].some((key) => holds(caller.capabilities, key))
    if (seesOthers) return mustRefer(store.users, 'user', user)
    if (user === caller.id || user.toLowerCase() === caller.email) return caller
    throw invalid('user', `'${user}' does not exist`)
  }
  const [list, get, update, remove] = crud({
    name: 'token',
    path: '/tokens',
    see: null,
    needs: OWN,
    answer: TokenAnswer,
    create: null,
    patch: TokenPatch,
    about: {
      list: 'Lists your admin tokens, and with createAndManageApiTokens all access tokens.',
      get: 'Shows a token, never its secret.',
      delete: 'Revokes a token for good.',
    },
    mutations,
    paged: {
      query: TokenQuery,
      async page({ caller, query }, slice) {
        const { connection, user, kind } = query as z.output<typeof TokenQuery>
        const who = user === undefined ? undefined : await personOf(caller, user)
        const rows = await store.tokens.pageVisible(slice, {
          ...(kind === undefined ? {} : { kind }),
          ...(connection === undefined ? {} : { connectionId: connection }),
          ...(who === undefined ? {} : { userId: who.id }),
          access: holds(caller.capabilities, 'createAndManageApiTokens'),
          adminOf: holds(caller.capabilities, 'managePeople') ? null : caller.id,
        })
        return rows
      },
    },
    async one(call, reference) {
      const token = await mustExist(store.tokens, 'token', reference)
      if (!isVisible(call, token)) throw new GatehouseError('GH_API_NOT_FOUND', { message: `no token '${reference}'` })
      return token
    },
    show,
    doUpdate: updateToken,
    doRemove: revokeToken,
  })
  const create = operation({
    id: 'createToken',
    method: 'post',
    path: '/tokens',
    summary:
      'Mints a token and shows its secret this once. An access token makes the token host and the connection it needs.',
    need: null,
    input: TokenCreate,
    output: MintedAnswer,
    async handle({ actor, input }) {
      const { token, secret } = await mutations.change(actor, (work) => createToken(work, input))
      return { ...(await show(token)), secret, url: await usedAt(token) }
    },
  })
  const usedAt = async ({ connectionId }: Token): Promise<string | null> => {
    const connection = connectionId === null ? null : await store.connections.find(connectionId)
    const gateway = connection && (await store.gateways.find(connection.gatewayId))
    return gateway ? `${url()}/mcp/${gateway.slug}` : null
  }
  return [list, get, create, update, remove].filter((one) => one !== undefined)
}

function isVisible({ caller }: ApiCall, token: Token): boolean {
  if (token.kind === 'access') return holds(caller.capabilities, 'createAndManageApiTokens')
  return token.userId === caller.id || holds(caller.capabilities, 'managePeople')
}
