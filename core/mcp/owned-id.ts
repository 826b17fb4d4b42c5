import { randomInt } from 'node:crypto'

/**
 * Ids that name the replica which knows what they mean: a question is `<replica>.<n>`, an event
 * `<replica>.<stream>.<seq>`.
 */
const OWNED = /^([a-z0-9]{4})\./

/** The replica that made this id; null when it is none of ours. */
export const ownerOf = (id: unknown): string | null => (typeof id === 'string' ? (OWNED.exec(id)?.[1] ?? null) : null)

/** Four characters; told apart from those of the other replicas by whoever registers them. */
export const newReplicaId = (): string =>
  randomInt(36 ** 4)
    .toString(36)
    .padStart(4, '0')
