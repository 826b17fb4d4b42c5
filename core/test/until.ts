import { setTimeout as pause } from 'node:timers/promises'

/** Looks again and again until there is something to see; fails, naming what was waited for, when there never is. */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  { seconds = 20 } = {},
): Promise<T> {
  const last = Date.now() + seconds * 1_000
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (Date.now() > last) throw new Error(`waited ${seconds} s until ${what}`)
    await pause(25)
  }
}
