import {
  AuthorizationServerMismatchError,
  InsecureTokenEndpointError,
  IssuerMismatchError,
  OAuthError,
  RegistrationRejectedError,
} from '@modelcontextprotocol/client'
import type { Server } from '../../domain/nouns.js'
import { GatehouseError } from '../../errors.js'

/**
 * Why a sign-in could not be begun or ended, in words for the person at the browser. What a server says of itself goes into the
 * detail, and tokens nowhere.
 */
export function signInFault(server: Server, error: unknown, callback: string): GatehouseError {
  if (error instanceof GatehouseError && error.code === 'GH_FORWARD_CONNECT') return error
  return new GatehouseError('GH_FORWARD_CONNECT', {
    message: `The sign-in of '${server.title}' ${wordsOf(error, callback)}`,
    detail: detailOf(error),
    cause: error,
    data: { server: server.slug },
  })
}

function wordsOf(error: unknown, callback: string): string {
  if (error instanceof IssuerMismatchError || error instanceof AuthorizationServerMismatchError)
    return 'is not who it says it is, so nothing was sent to it. Tell your administrator.'
  if (error instanceof RegistrationRejectedError) return `refused to register this gateway. ${askFor(callback)}`
  if (error instanceof InsecureTokenEndpointError) return 'is not protected by https. Tell your administrator.'
  if (error instanceof OAuthError) {
    if (error.code === 'invalid_client' || error.code === 'unauthorized_client')
      return `does not know this gateway as a client. ${askFor(callback)}`
    return 'refused. Begin again; if that does not help, tell your administrator.'
  }
  if (error instanceof GatehouseError) return `cannot be reached: ${error.message}. Try again later.`
  if (error instanceof Error && error.message.includes('dynamic client registration'))
    return `takes no clients that register themselves. ${askFor(callback)}`
  return 'cannot be used: it does not say what is needed. Tell your administrator.'
}

const askFor = (callback: string): string =>
  `An administrator has to register it there, with the callback ${callback}, and enter the client id and secret at the server.`

function detailOf(error: unknown): string {
  if (error instanceof GatehouseError) return error.detail ?? error.message
  if (error instanceof OAuthError) return `${error.name} ${error.code}`.slice(0, 200)
  if (error instanceof RegistrationRejectedError) return `HTTP ${error.status}`
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : 'unknown'
}
