import { Writer } from './writer.js'

type Bytes = readonly number[]

export const I32 = 0x7f
export const I64 = 0x7e
export const FUNCREF = 0x70

/** The parts of a module as bytes; each list is a section's entries. */
export interface Parts {
  readonly types?: readonly Bytes[]
  readonly imports?: readonly Bytes[]
  readonly functions?: readonly number[]
  readonly tables?: readonly Bytes[]
  readonly memories?: readonly Bytes[]
  readonly globals?: readonly Bytes[]
  readonly exports?: readonly Bytes[]
  readonly start?: number
  readonly elements?: readonly Bytes[]
  readonly dataCount?: number
  /** Code of each function, without locals and the last `end`; or with locals. */
  readonly code?: readonly (Bytes | { readonly locals: readonly Bytes[]; readonly code: Bytes })[]
  readonly data?: readonly Bytes[]
  readonly custom?: readonly (readonly [name: string, content: Bytes])[]
}

export const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

export const u32 = (value: number): Bytes => [...new Writer().u32(value).done()]
export const text = (value: string): Bytes => [...new Writer().text(value).done()]
export const type = (params: Bytes, results: Bytes): Bytes => [
  0x60,
  params.length,
  ...params,
  results.length,
  ...results,
]
export const importFunction = (module: string, name: string, index: number): Bytes => [
  ...text(module),
  ...text(name),
  0,
  index,
]
export const exportFunction = (name: string, index: number): Bytes => [...text(name), 0, ...u32(index)]
export const exportGlobal = (name: string, index: number): Bytes => [...text(name), 3, ...u32(index)]
export const i32 = (value: number): Bytes => [0x41, ...new Writer().s64(BigInt(value | 0)).done()]

export function assemble(parts: Parts): Uint8Array<ArrayBuffer> {
  const { types, imports, functions, tables, memories, globals, exports, start, elements, dataCount, code, data } =
    parts
  const bodies = code?.map((entry) => body('locals' in entry ? entry : { locals: [], code: entry }))
  return Uint8Array.from([
    ...HEADER,
    ...vector(1, types),
    ...vector(2, imports),
    ...vector(3, functions?.map(u32)),
    ...vector(4, tables),
    ...vector(5, memories),
    ...vector(6, globals),
    ...vector(7, exports),
    ...(start === undefined ? [] : section(8, u32(start))),
    ...vector(9, elements),
    ...(dataCount === undefined ? [] : section(12, u32(dataCount))),
    ...vector(10, bodies),
    ...vector(11, data),
    ...(parts.custom ?? []).flatMap(([name, content]) => section(0, [...text(name), ...content])),
  ])
}

export const section = (id: number, content: Bytes): Bytes => [id, ...u32(content.length), ...content]

function vector(id: number, entries: readonly Bytes[] | undefined): Bytes {
  return entries === undefined ? [] : section(id, [...u32(entries.length), ...entries.flat()])
}

function body({ locals, code }: { readonly locals: readonly Bytes[]; readonly code: Bytes }): Bytes {
  const content = [...u32(locals.length), ...locals.flat(), ...code, 0x0b]
  return [...u32(content.length), ...content]
}

/** A module of one exported function `run` without parameters, beside what else is given. */
export function single(code: Bytes, parts: Parts = {}): Uint8Array<ArrayBuffer> {
  return assemble({
    types: [type([], [])],
    functions: [0],
    exports: [exportFunction('run', 0)],
    code: [code],
    ...parts,
  })
}
