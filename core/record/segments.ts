import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A place in the log: byte `offset` of segment number `segment`. */
export interface Position {
  readonly segment: number
  readonly offset: number
}

export interface Segment {
  readonly number: number
  readonly bytes: number
}

const segmentName = /^(\d{12})\.log$/

export function segmentPath(dir: string, number: number): string {
  return join(dir, `${String(number).padStart(12, '0')}.log`)
}

/** The segments that lie in the folder, oldest first. */
export function listSegments(dir: string): Segment[] {
  return readdirSync(dir)
    .flatMap((name) => segmentName.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((one, other) => one - other)
    .map((number) => ({ number, bytes: statSync(segmentPath(dir, number)).size }))
}

/** How far the log was carried to the database; null when that is unknown. Too old is harmless, too new never happens. */
export function readCarried(dir: string): Position | null {
  let text: string
  try {
    text = readFileSync(join(dir, 'carried'), 'utf8')
  } catch {
    return null
  }
  const match = /^(\d+) (\d+)\n$/.exec(text)
  return match ? { segment: Number(match[1]), offset: Number(match[2]) } : null
}

/** Replaces the file at once: a reader sees the old position or the new one. */
export function writeCarried(dir: string, position: Position): void {
  const draft = join(dir, 'carried.new')
  writeFileSync(draft, `${position.segment} ${position.offset}\n`, { mode: 0o600 })
  renameSync(draft, join(dir, 'carried'))
}
