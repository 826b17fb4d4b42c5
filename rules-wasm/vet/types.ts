import { ceilings } from './limits.js'
import type { FunctionType, Limits, ValueType } from './module.js'
import type { Reader } from './reader.js'
import { ModuleRefusal } from './refusal.js'

const valueTypes: ReadonlyMap<number, ValueType> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
])

export const valueTypeOf = (byte: number): ValueType | undefined => valueTypes.get(byte)

export function readValueType(reader: Reader, what: string): ValueType {
  const at = reader.at
  const byte = reader.byte(what)
  const type = valueTypes.get(byte)
  if (type === undefined) throw new ModuleRefusal(`has ${what} 0x${byte.toString(16)}, which is not accepted`, at)
  return type
}

export function readReferenceType(reader: Reader): ValueType {
  const at = reader.at
  const type = readValueType(reader, 'a type of reference')
  if (type !== 'funcref' && type !== 'externref') throw new ModuleRefusal(`has ${type} where a reference belongs`, at)
  return type
}

export function readFunctionType(reader: Reader): FunctionType {
  const at = reader.at
  const form = reader.byte('a type')
  if (form !== 0x60)
    throw new ModuleRefusal(`has a type of form 0x${form.toString(16)}; functions alone are accepted`, at)
  const list = (what: 'params' | 'results') =>
    Array.from({ length: reader.count(what, ceilings[what]) }, () => readValueType(reader, 'a type of value'))
  return { params: list('params'), results: list('results') }
}

export function readLimits(reader: Reader, what: 'memory' | 'table'): Limits {
  const start = reader.at
  const flags = reader.byte(`limits of a ${what}`)
  if (flags > 1) throw new ModuleRefusal(`has ${refusedLimits(flags)} ${what}, which is not accepted`, start)
  const initial = reader.u32(`the size of a ${what}`)
  if (flags === 0) return { initial, start, end: reader.at }
  const maximum = reader.u32(`the maximum of a ${what}`)
  if (maximum < initial) throw new ModuleRefusal(`has a ${what} whose maximum is below its size`, start)
  return { initial, maximum, start, end: reader.at }
}

function refusedLimits(flags: number): string {
  if (flags === 2 || flags === 3) return 'a shared'
  return flags >= 4 && flags <= 7 ? 'a 64-bit' : `an unknown kind (0x${flags.toString(16)}) of`
}
