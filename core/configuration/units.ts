import { z } from 'zod'

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** `300s`, `15m`, `2h`, `1d`, `500ms`, or a number of milliseconds; read as milliseconds. */
export const duration = quantity(/^(\d+)(ms|s|m|h|d)$/, MILLISECONDS, 'must be a duration such as 300s, 15m or 2h')

/** `16MiB`, `64KiB`, or a number of bytes; read as bytes. */
export const size = quantity(/^(\d+)(B|KiB|MiB|GiB)$/, BYTES, 'must be a size such as 64KiB or 16MiB')

function quantity(pattern: RegExp, units: Readonly<Record<string, number>>, message: string) {
  return z
    .union([z.int(message).positive(message), z.string().regex(pattern, message)], { error: message })
    .transform((given) => (typeof given === 'number' ? given : read(given, pattern, units)))
    .refine((value) => value > 0 && Number.isSafeInteger(value), { error: message })
}

function read(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number {
  const [, digits, unit] = pattern.exec(text) ?? []
  return Number(digits) * (units[unit ?? ''] ?? Number.NaN)
}

/** The shortest way to write milliseconds that `duration` reads back. */
export function writeDuration(milliseconds: number): string {
  return write(milliseconds, MILLISECONDS, 'ms')
}

/** The shortest way to write bytes that `size` reads back. */
export function writeSize(bytes: number): string {
  return write(bytes, BYTES, 'B')
}

function write(value: number, units: Readonly<Record<string, number>>, smallest: string): string {
  const fits = Object.entries(units).filter(([, factor]) => value % factor === 0)
  const [unit, factor] = fits.at(-1) ?? [smallest, 1]
  return `${value / factor}${unit}`
}
