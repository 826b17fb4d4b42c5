/** Where in the roll an item stands; -1 outside of it. Written by the roll alone. */
export interface Enrolled {
  place: number
}

/**
 * Who is here: filled and emptied with every call. Not a `Set` and not a `Map`, for V8's keep what was deleted: each table
 * that such a one outgrows holds on to the next, so that one collection at the wrong moment keeps every call alive until
 * a full one (measured: six times the cost of a churn). Order is not kept.
 */
export class Roll<Item extends Enrolled> {
  readonly #items: Item[] = []

  get size(): number {
    return this.#items.length
  }

  add(item: Item): void {
    item.place = this.#items.push(item) - 1
  }

  has(item: Item): boolean {
    return this.#items[item.place] === item
  }

  /** Nothing happens when it is not here. */
  delete(item: Item): void {
    if (!this.has(item)) return
    const last = this.#items.pop() as Item
    if (last !== item) {
      this.#items[item.place] = last
      last.place = item.place
    }
    item.place = -1
  }

  find(holds: (item: Item) => boolean): Item | undefined {
    return this.#items.find(holds)
  }

  /** As it is now: who comes or goes meanwhile changes nothing in it. */
  all(): readonly Item[] {
    return [...this.#items]
  }
}
