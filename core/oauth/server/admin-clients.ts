import { randomBytes, randomUUID } from 'node:crypto'
import type { ClientRows, StoredClient } from '../../db/repositories/oauth-clients.js'
import type { GrantRows } from '../../db/repositories/oauth-grants.js'
import { GatehouseError } from '../../errors.js'
import { clientName, stringsOf } from './client-names.js'
import { JWT_BEARER } from './client-metadata.js'
import { faultOf } from './redirects.js'

/** Clients that an administrator makes: for those that cannot register by themselves, or that an identity provider vouches for. */
export interface AdminClients {
  /** Oldest first. */
  all(): Promise<readonly AdminClient[]>
  find(clientId: string): Promise<AdminClient | null>
  /** The secret is shown this once; null: the client keeps none. Throws GH_API_INVALID naming the field. */
  add(draft: ClientDraft): Promise<{ readonly client: AdminClient; readonly secret: string | null }>
  /** With all that was granted to it, on the next request. */
  remove(clientId: string): Promise<void>
}

export interface ClientDraft {
  readonly name: string
  readonly redirectUris: readonly string[]
  /** Whether it can keep a secret. */
  readonly confidential: boolean
  /** Whether assertions of a trusted identity provider stand for consent (ID-JAG); needs a secret. */
  readonly assertions: boolean
}

export interface AdminClient extends ClientDraft {
  readonly clientId: string
  readonly createdAt: string
}

export interface AdminClientsOptions {
  readonly rows: ClientRows
  readonly grants: Pick<GrantRows, 'endOfClient'>
  readonly schemes: () => readonly string[]
  readonly onEnded: () => Promise<void>
}

export function createAdminClients({ rows, grants, schemes, onEnded }: AdminClientsOptions): AdminClients {
  const find = async (clientId: string) => {
    const row = await rows.find(clientId)
    return row?.origin === 'admin' ? show(row) : null
  }
  return {
    all: async () => (await rows.ofAdmins()).map(show),
    find,
    async add(draft) {
      check(draft, schemes())
      const clientId = `client_${randomUUID()}`
      const secret = draft.confidential ? randomBytes(32).toString('base64url') : null
      const name = clientName(draft.name)
      const metadata = JSON.stringify(metadataOf(draft, clientId, secret))
      await rows.add({ clientId, origin: 'admin', name, metadata })
      const client = await find(clientId)
      if (client === null) throw new Error('a client is gone as soon as it is made')
      return { client, secret }
    },
    async remove(clientId) {
      await rows.remove(clientId)
      await grants.endOfClient(clientId)
      await onEnded()
    },
  }
}

function check({ redirectUris, confidential, assertions }: ClientDraft, schemes: readonly string[]): void {
  const fault = faultOf(redirectUris, schemes)
  if (fault !== null) throw invalid('redirectUris', fault.replace(/^redirect_uris: /, ''))
  if (assertions && !confidential) throw invalid('assertions', 'needs a confidential client')
  if (redirectUris.length === 0 && !assertions) throw invalid('redirectUris', 'is needed unless assertions are taken')
}

const invalid = (field: string, what: string) =>
  new GatehouseError('GH_API_INVALID', { message: `${field}: ${what}`, data: { field } })

function metadataOf({ name, redirectUris, assertions }: ClientDraft, clientId: string, secret: string | null) {
  const signsIn = redirectUris.length > 0 ? ['authorization_code', 'refresh_token'] : []
  return {
    client_id: clientId,
    client_name: clientName(name),
    redirect_uris: redirectUris,
    grant_types: [...signsIn, ...(assertions ? [JWT_BEARER] : [])],
    response_types: signsIn.length > 0 ? ['code'] : [],
    ...(secret === null
      ? { token_endpoint_auth_method: 'none' }
      : { token_endpoint_auth_method: 'client_secret_basic', client_secret: secret }),
  }
}

function show({ clientId, name, metadata, createdAt }: StoredClient): AdminClient {
  const { redirect_uris, grant_types, token_endpoint_auth_method } = JSON.parse(metadata) as Record<string, unknown>
  return {
    clientId,
    name,
    redirectUris: stringsOf(redirect_uris),
    confidential: token_endpoint_auth_method !== 'none',
    assertions: stringsOf(grant_types).includes(JWT_BEARER),
    createdAt,
  }
}
