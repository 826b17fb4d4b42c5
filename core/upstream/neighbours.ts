import type { ListKind } from '../domain/store.js'
import type { NamedFeature } from '../poisoning/neighbourhood.js'
import type { SeenList } from './catalog-slot.js'

/** Names beyond that of one server are no longer compared with. */
const MOST_NAMES = 5_000

interface Circle {
  /** Rises with every name that was not there before. */
  generation: number
  readonly byAssignment: Map<string, Map<string, NamedFeature>>
}

/** Who stands beside whom: the names that the servers of each gateway were seen to show, to whomever. */
export class Neighbours {
  readonly #circles = new Map<string, Circle>()

  /** The generation of the gateway once this list is known. Resources are named by their URIs, which compare with nothing. */
  see(gatewayId: string, assignmentId: string, kind: ListKind, byId: SeenList['byId']): number {
    const circle = this.#circles.get(gatewayId) ?? { generation: 0, byAssignment: new Map() }
    this.#circles.set(gatewayId, circle)
    if (kind !== 'tools' && kind !== 'prompts') return circle.generation
    const names = circle.byAssignment.get(assignmentId) ?? new Map<string, NamedFeature>()
    circle.byAssignment.set(assignmentId, names)
    const before = names.size
    for (const name of byId.keys()) {
      if (names.size >= MOST_NAMES) break
      names.set(`${kind} ${name}`, { kind: kind === 'tools' ? 'tool' : 'prompt', name })
    }
    if (names.size > before) circle.generation += 1
    return circle.generation
  }

  around(gatewayId: string, assignmentId: string) {
    const { generation, byAssignment } = this.#circles.get(gatewayId) ?? { generation: 0, byAssignment: new Map() }
    const features = (isOwn: boolean): readonly NamedFeature[] =>
      [...byAssignment].flatMap(([id, names]) => ((id === assignmentId) === isOwn ? [...names.values()] : []))
    return { generation, siblings: features(true), others: features(false) }
  }
}
