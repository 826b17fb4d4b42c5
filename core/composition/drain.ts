/** Rows that one statement deletes: short, so that nobody waits for it. */
const AT_ONCE = 2_000
/** A million rows in one go; the rest waits for the next. */
const MOST_ROUNDS = 500

/** Repeats a sweep until nothing is left for it: strangers make rows, and must not make them faster than they are deleted. */
export async function drain(sweep: (limit: number) => Promise<number>): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) if ((await sweep(AT_ONCE)) < AT_ONCE) return
}
