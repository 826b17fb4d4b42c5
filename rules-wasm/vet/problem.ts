export interface Problem {
  /** Fit for the author of the module; names of the module stand in it quoted and cut. */
  readonly message: string
  /** The byte of the module. */
  readonly offset?: number
}
