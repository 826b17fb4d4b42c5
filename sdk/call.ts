/** A JSON value as it came over the wire. Unknown keys are kept. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** The kinds of features that an MCP server offers. */
export type FeatureKind = 'tool' | 'prompt' | 'resource'

/** The two families of the protocol: `legacy` is 2024-11-05 to 2025-11-25 (sessions), `modern` is 2026-07-28 (stateless). */
export type Era = 'legacy' | 'modern'

/** The facts of a call that rules and hooks may see. Names are the upstream's own, never the public ones. */
export interface CallContext {
  /** UUIDv7; the same in every leg of the record and in the reports of rules. */
  readonly correlationId: string
  /** JSON-RPC method, e.g. `tools/call`. */
  readonly method: string
  /** The JSON-RPC id that the client gave the call. */
  readonly rpcId: string | number | null
  readonly era: Era
  readonly gateway: { readonly id: string; readonly slug: string }
  /** The server that answers; null while a list is merged. */
  readonly server: { readonly id: string; readonly slug: string } | null
  readonly feature: { readonly kind: FeatureKind; readonly name: string } | null
  readonly user: { readonly id: string; readonly email: string } | null
  readonly host: { readonly id: string; readonly name: string }
  /** That of the user and the host on the gateway; null outside of any. */
  readonly connection: { readonly id: string } | null
  readonly attributes: Readonly<Record<string, string>>
}
