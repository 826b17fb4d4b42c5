/** Why a module is not accepted. `offset` is the byte of the module where it was seen. Fit to be shown to its author. */
export class ModuleRefusal extends Error {
  override readonly name = 'ModuleRefusal'

  constructor(
    readonly reason: string,
    readonly offset: number,
  ) {
    super(`${reason} (at byte ${offset})`)
  }
}
