import type { UserRef } from '@gatehouse/sdk'
import type { Server } from '../domain/nouns.js'
import type { GatewayPlan } from '../domain/snapshot.js'

/** How a person stands with one server of a gateway that everyone brings their own identity to. */
export interface Standing {
  readonly server: Server
  /** As the gateway's clients know it: the assignment's `as`, else the server's slug. */
  readonly prefix: string
  /**
   * `ready`: there is an identity that works · `missing`: never given · `needs_reauth`: given, and no longer good ·
   * `disabled`: server, assignment or identity is switched off, and giving another would not help.
   */
  readonly state: 'ready' | 'missing' | 'needs_reauth' | 'disabled'
  /** How the person gives one: at the server's own sign-in, or as header values. */
  readonly method: 'oauth' | 'headers'
  /** Names of the headers that are asked for. */
  readonly headers: readonly string[]
}

/** Where a person's browser goes to give an identity, and where it comes back to. */
export interface Trip {
  readonly user: UserRef
  /** The session that must come back: nobody else may end the trip. */
  readonly sessionHash: string
  readonly serverId: string
  /** A path of ours. */
  readonly returnTo: string
}

/**
 * Brings people's own identities for the servers of a gateway. Used by every page that asks for one: the way of an AI
 * client, the token flow of a host, and the link that an error carries.
 */
export interface Enrolment {
  /** The per-user servers of a gateway, in its order; each server once. */
  standing(userId: string, plan: GatewayPlan): Promise<readonly Standing[]>
  /**
   * The URL of the server's authorization server to send the browser to. Throws GH_FORWARD_CONNECT with a message for the
   * person when the server's sign-in cannot be begun.
   */
  begin(trip: Trip): Promise<string>
  /** Keeps header values as the person's identity. Throws GH_API_INVALID naming the field. */
  giveHeaders(user: UserRef, serverId: string, headers: Readonly<Record<string, string>>): Promise<void>
}
