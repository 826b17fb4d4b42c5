import type { NameCandidate, NameKind, NameRepository, PublicName } from '../domain/store.js'
import { asGatehouseError } from '../errors.js'
import { compileTemplate, fitsTemplate } from '../mcp/uri-template.js'
import type { UriTemplate } from '../mcp/uri-template.js'
import type { CatalogLog } from './catalog-types.js'

/** How long the database is left alone after it could not be asked, and between two looks for others' new names. */
const PAUSE = 2_000
/** A server that changes its names all the time must not fill the database. */
const MOST_NAMES = 20_000

/** The names that one gateway has given, in memory. Only grows; `version` rises with every change. */
export class NameTable {
  version = 0
  readonly #byName = new Map<string, PublicName>()
  readonly #byOwner = new Map<string, string>()
  readonly #templates = new Map<string, { readonly given: PublicName; readonly template: UriTemplate }>()
  readonly #counts = new Map<string, number>()

  add(names: readonly PublicName[]): void {
    const unknown = names.filter(
      (given) => this.nameOf(given.kind, given.assignmentId, given.upstreamName) !== given.name,
    )
    for (const given of unknown) this.#add(given)
    if (unknown.length > 0) this.version += 1
  }

  owner(kind: NameKind, name: string): PublicName | undefined {
    return this.#byName.get(keyOf(kind, name))
  }

  nameOf(kind: NameKind, assignmentId: string, upstreamName: string): string | undefined {
    return this.#byOwner.get(keyOf(kind, assignmentId, upstreamName))
  }

  /** Whose templates fit the URI. */
  templatesFor(uri: string): PublicName[] {
    return [...this.#templates.values()].filter(({ template }) => fitsTemplate(template, uri)).map(({ given }) => given)
  }

  /** True when this assignment was ever seen to have resources or templates. */
  hasResources(assignmentId: string): boolean {
    return (['resource', 'template'] as const).some((kind) => this.#counts.has(keyOf(kind, assignmentId)))
  }

  /** True when this assignment gets no more names of the kind. */
  isFull(kind: NameKind, assignmentId: string): boolean {
    return (this.#counts.get(keyOf(kind, assignmentId)) ?? 0) >= MOST_NAMES
  }

  #add(given: PublicName): void {
    this.#byName.set(keyOf(given.kind, given.name), given)
    this.#byOwner.set(keyOf(given.kind, given.assignmentId, given.upstreamName), given.name)
    const counted = keyOf(given.kind, given.assignmentId)
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1)
    const template = given.kind === 'template' ? compileTemplate(given.name) : null
    if (template !== null) this.#templates.set(given.name, { given, template })
  }
}

function keyOf(kind: NameKind, owner: string, name = ''): string {
  return `${kind}\n${owner}\n${name}`
}

/**
 * The names of all gateways, loaded at first use and claimed in the database, which settles races between replicas. While
 * the database is away known names work, and no new ones are made up.
 */
export class GivenNames {
  readonly #repository: NameRepository
  readonly #now: () => number
  readonly #tables = new Map<string, NameTable>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #pausedUntil = new Map<string, number>()
  readonly #lookedAt = new Map<string, number>()
  readonly #log: CatalogLog

  constructor(repository: NameRepository, now: () => number, log: CatalogLog) {
    this.#repository = repository
    this.#now = now
    this.#log = log
  }

  peek(gatewayId: string): NameTable | undefined {
    return this.#tables.get(gatewayId)
  }

  /** Loads the table unless it is there already. */
  async load(gatewayId: string): Promise<void> {
    if (!this.#tables.has(gatewayId)) await this.#inTurn(gatewayId, () => this.#read(gatewayId))
  }

  /** Looks whether other replicas gave names meanwhile; at most every two seconds. */
  async refresh(gatewayId: string): Promise<void> {
    if (this.#now() < (this.#lookedAt.get(gatewayId) ?? 0) + PAUSE) return
    this.#lookedAt.set(gatewayId, this.#now())
    await this.#inTurn(gatewayId, () => this.#read(gatewayId))
  }

  /** Gives names to those that have none yet. Whoever has none afterwards has to wait. */
  async claim(gatewayId: string, candidates: readonly NameCandidate[]): Promise<void> {
    await this.#inTurn(gatewayId, async () => {
      const table = this.#tables.get(gatewayId)
      if (table === undefined) return
      const unnamed = candidates.filter(
        (one) =>
          table.nameOf(one.kind, one.assignmentId, one.upstreamName) === undefined &&
          !table.isFull(one.kind, one.assignmentId),
      )
      if (unnamed.length > 0) table.add(await this.#repository.claim(gatewayId, unnamed))
    })
  }

  async #read(gatewayId: string): Promise<void> {
    const names = await this.#repository.of(gatewayId)
    const table = this.#tables.get(gatewayId) ?? new NameTable()
    table.add(names)
    this.#tables.set(gatewayId, table)
  }

  /** One question to the database at a time and gateway; a failure is followed by a pause, not by a throw. */
  async #inTurn(gatewayId: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#running.get(gatewayId) ?? Promise.resolve()).then(() => this.#attempt(gatewayId, work))
    this.#running.set(gatewayId, turn)
    await turn
    if (this.#running.get(gatewayId) === turn) this.#running.delete(gatewayId)
  }

  async #attempt(gatewayId: string, work: () => Promise<void>): Promise<void> {
    if (this.#now() < (this.#pausedUntil.get(gatewayId) ?? 0)) return
    try {
      await work()
    } catch (error) {
      this.#pausedUntil.set(gatewayId, this.#now() + PAUSE)
      this.#log.warn(
        { gateway: gatewayId, error: asGatehouseError(error).code },
        'names of the gateway cannot be asked for',
      )
    }
  }
}
