/** Number types, `v128`, and the references of the accepted set. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref'

export interface FunctionType {
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

export interface GlobalType {
  readonly type: ValueType
  readonly isMutable: boolean
}

/** A range of the module: `start` is its first byte, `end` the first behind it. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** A part of a memory: its first byte, and the first behind it; both 0 when it is empty. */
export interface Extent {
  readonly start: number
  readonly end: number
}

export type Kind = 'function' | 'table' | 'memory' | 'global'

export interface Import extends Range {
  readonly module: string
  readonly name: string
  readonly kind: Kind
  /** Of a function. */
  readonly type?: number
}

export interface Export extends Range {
  readonly name: string
  readonly kind: Kind
  readonly index: number
}

/** Of a memory in pages of 64 KiB, of a table in elements. The range is that of the limits themselves. */
export interface Limits extends Range {
  readonly initial: number
  readonly maximum?: number
}

/** Where a function is named other than by `call`; the range is that of its index. */
export interface FunctionReference extends Range {
  readonly index: number
}

export interface Section extends Range {
  readonly id: number
  /** Of a section that is a vector: behind the number of its entries. */
  readonly entries: number
  readonly count: number
}

export interface Instruction extends Range {
  /** Two-byte opcodes as `prefixed` gives them. */
  readonly code: number
  /** Of a branch: how many labels up; `br_table` may name several. */
  readonly labels?: readonly number[] | undefined
  /** Of `block`, `loop`, `if`: a type's index or the one result, if any. */
  readonly block?: number | ValueType | undefined
  /** Of `call` and `ref.func` the function, of `call_indirect` the type. */
  readonly index?: number | undefined
}

export interface Body extends Range {
  /** Behind the number of groups of locals. */
  readonly groups: Range & { readonly count: number }
  readonly locals: number
  readonly instructions: readonly Instruction[]
}

export interface Module {
  readonly bytes: Uint8Array
  readonly sections: readonly Section[]
  readonly types: readonly FunctionType[]
  readonly imports: readonly Import[]
  /** The type of each function: imported ones first. */
  readonly functions: readonly number[]
  readonly importedFunctions: number
  readonly tables: readonly Limits[]
  readonly memories: readonly Limits[]
  /** Imported ones first. */
  readonly globals: readonly GlobalType[]
  readonly exports: readonly Export[]
  readonly start?: FunctionReference | undefined
  /** Outside of code, in the order of the bytes. */
  readonly references: readonly FunctionReference[]
  readonly bodies: readonly Body[]
  readonly usesSimd: boolean
  /** Around all that segments of data write at instantiation; null where the module alone does not tell. */
  readonly data: Extent | null
}
