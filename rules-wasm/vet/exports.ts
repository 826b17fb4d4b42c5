/** Under these names a metered module that can be put back as it was exports what that takes; to the last, a number is added. */
export const RESTORE_EXPORTS = {
  memory: 'gatehouse_fuel_memory',
  low: 'gatehouse_fuel_low',
  span: 'gatehouse_fuel_span',
  /** Pages, as the module sees them; the memory itself has all that it may have. */
  size: 'gatehouse_fuel_size',
  variable: 'gatehouse_fuel_variable_',
} as const

/** Under this name the metered module exports its fuel. No export of a module may begin like it. */
export const FUEL_EXPORT = 'gatehouse_fuel'
