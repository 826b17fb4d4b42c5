import type { Share } from '../domain/snapshot.js'

const BUCKETS = 100

/** Of two versions of a rule, the one that is tried. */
export const isCanary = ({ from }: Share): boolean => from === 0

/** Both legs of a call are in the same, and so are all its notes. */
export const isInShare = ({ from, to }: Share, correlationId: string): boolean => {
  const bucket = bucketOf(correlationId)
  return bucket >= from && bucket < to
}

/** FNV-1a: the ids of one moment differ in few signs, and are to be spread over all buckets. */
export function bucketOf(correlationId: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < correlationId.length; index += 1) {
    hash = Math.imul(hash ^ correlationId.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0) % BUCKETS
}
