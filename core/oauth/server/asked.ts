import type { IncomingMessage, ServerResponse } from 'node:http'
import { errors, type Provider } from 'oidc-provider'
import { GatehouseError } from '../../errors.js'
import { clientName, stringsOf } from './client-names.js'

/** What a person is asked, while their browser is on its way between an AI client and the authorization server. */
export interface Asked {
  readonly uid: string
  readonly wants: 'sign-in' | 'consent'
  /** Whom the authorization server takes the browser for; null: nobody yet. */
  readonly accountId: string | null
  readonly client: AskingClient
  readonly redirectUri: string
  /** As the client sent it, or where there is no such thing the URL without a gateway. */
  readonly resource: string
  readonly scopes: readonly string[]
}

export interface AskingClient {
  readonly id: string
  /** What it calls itself: anybody may call themselves anything. */
  readonly name: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** Throws GH_PAGE_GONE when this browser is on no such way, or not any more. */
export async function readAsked(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<Asked> {
  const { uid, prompt, params, session } = await interactionOf(provider, req, res)
  const clientId = String(params['client_id'])
  const client = await provider.Client.find(clientId)
  if (client === undefined) throw gone()
  return {
    uid,
    wants: prompt.name === 'login' ? 'sign-in' : 'consent',
    accountId: session?.accountId ?? null,
    client: { id: clientId, name: clientName(client.clientName), metadata: client.metadata() },
    redirectUri: String(params['redirect_uri']),
    resource: stringsOf([params['resource']].flat())[0] ?? '',
    scopes: String(params['scope'] ?? '').split(' '),
  }
}

async function interactionOf(provider: Provider, req: IncomingMessage, res: ServerResponse) {
  try {
    return await provider.interactionDetails(req, res)
  } catch (thrown) {
    if (thrown instanceof errors.SessionNotFound) throw gone(thrown.error_description)
    throw thrown
  }
}

const gone = (detail?: string) =>
  new GatehouseError('GH_PAGE_GONE', {
    message: 'This way in has ended: it was finished already, or took too long. Start again in your AI client.',
    ...(detail === undefined ? {} : { detail }),
  })
