/** What of the API's answers the commands for modules read: one version. */
export interface Version {
  readonly version: number
  readonly sha256: string
  readonly signedBy: string | null
  readonly refused: string | null
  readonly state: string
}
export interface Granted {
  readonly slug: string
  readonly grants: Readonly<Record<string, unknown>>
}

/** An artifact, with what holds of its current version. */
export interface Artifact extends Omit<Version, 'version' | 'state'>, Granted {
  readonly engine: string
  readonly current: number
  readonly canary: { readonly version: number; readonly percent: number; readonly shadow: boolean } | null
  readonly usedBy: readonly { readonly version: number | null }[]
}
