/** What one module may hold at most. The engine's own ceilings are higher or equal. */
export const ceilings = {
  types: 10_000,
  /** Parameters, or results, of one type: each is moved at every call and branch. */
  params: 128,
  results: 128,
  imports: 1_000,
  functions: 50_000,
  tables: 16,
  memories: 1,
  globals: 10_000,
  exports: 10_000,
  elements: 10_000,
  elementItems: 100_000,
  /** Compilers of Go write a piece for each run of bytes that are not 0: some 36,000. */
  data: 100_000,
  sections: 100,
  /** Of one function, its parameters besides. */
  locals: 10_000,
  localGroups: 10_000,
  labels: 65_520,
  /** How deep blocks stand in one another. */
  nesting: 5_000,
} as const
