import { InvalidArgumentError } from 'commander'

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** How far back, or a time: milliseconds since the epoch. */
export function moment(text: string): number {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (unit !== undefined) return Date.now() - Number(amount) * (UNITS[unit] ?? 0)
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw new InvalidArgumentError('It must be an age such as 12h or 7d, or a time.')
  return at
}
