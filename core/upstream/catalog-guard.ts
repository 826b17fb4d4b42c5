import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import type { Feature } from '../call.js'
import type { Judgement, Why } from '../domain/feature-judge.js'
import { admitUnseen, asks, looks, type Exposure } from '../domain/provisioning.js'
import type { AssignmentPlan } from '../domain/snapshot.js'
import type { ListKind } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import { likenessesOf, likenessOf } from '../mcp/uri-likeness.js'
import { compileTemplate, fitsTemplate, type UriTemplate } from '../mcp/uri-template.js'
import type { Approvals } from './approvals.js'
import { expose, exposureOf, guardOf, type Exposed } from './catalog-exposed.js'
import type { ServerLists } from './catalog-lists.js'
import type { SeenList, Slot } from './catalog-slot.js'
import type { NoAccess } from './catalog-types.js'
import { fault } from './faults.js'
import type { Suspicions } from './suspicions.js'
import type { Target } from './types.js'

/** A list as the caller sees it: with which credential, and what was seen with that. */
export interface Reached {
  readonly target: Target | NoAccess
  readonly slot: Slot | null
}

export interface Sight {
  readonly gatewayId: string
  readonly reach: (kind: ListKind) => Reached
  /** When servers were asked, and everything done to know: what is not known then is not let through. Null: not yet. */
  readonly asked: number | null
}

/** The feature may be used; `definition` is null when it stands in no list. */
export interface Found {
  readonly definition: JsonObject | null
}
type Meant = Pick<Feature, 'kind' | 'name' | 'assignment'>

/** Whatever its server promises, what is more than a name is compared with a list that is no older. */
export const LONGEST_UNCHECKED = 60_000
const UNLISTED: Found = Object.freeze({ definition: null })
const SEEN_NEVER: ReadonlySet<string> = new Set()
const LISTS_OF: Readonly<Record<FeatureKind, readonly ListKind[]>> = {
  tool: ['tools'],
  prompt: ['prompts'],
  resource: ['resources', 'templates'],
}

/** Decides what of a server exists on a gateway, where not everything does. Hidden is the same answer as unknown: null. */
export class Guard {
  constructor(
    private readonly lists: Pick<ServerLists, 'isFresh' | 'isOf'>,
    private readonly approvals: Pick<Approvals, 'peek'>,
    private readonly suspicions: Pick<Suspicions, 'isLooked'>,
  ) {}

  /** False for an assignment that shows everything: then nothing here is to be asked. */
  guards(gatewayId: string, { kind, assignment }: Pick<Meant, 'kind' | 'assignment'>): boolean {
    const table = this.approvals.peek(gatewayId)
    return LISTS_OF[kind].some((list) => guardOf(assignment, list, table) !== null)
  }

  /** How old a list may be that is shown or called from. */
  oldest(assignment: AssignmentPlan, kind: ListKind): number {
    const exposure = exposureOf(assignment, kind)
    return exposure !== null && looks(exposure) ? LONGEST_UNCHECKED : Infinity
  }

  /** Null: all of it exists. */
  exposed(assignment: AssignmentPlan, kind: ListKind, seen: SeenList, sight: Sight): Exposed | null {
    const table = this.approvals.peek(sight.gatewayId)
    if (guardOf(assignment, kind, table) === null) return null
    const apps = kind === 'resources' ? this.#appsOfHidden(assignment, seen, sight) : SEEN_NEVER
    const isLooked = (definition: JsonObject) => this.suspicions.isLooked(sight.gatewayId, definition)
    return expose(assignment, { kind, byId: seen.byId, apps, isLooked }, table)
  }

  /** Undefined: servers have to be asked first. */
  find(meant: Meant, sight: Sight): Found | null | undefined {
    return meant.kind === 'resource' ? this.#resource(meant, sight) : this.#named(meant, sight)
  }

  why({ kind, name, assignment }: Meant, sight: Sight): Why | null {
    for (const list of LISTS_OF[kind]) {
      const exposure = exposureOf(assignment, list)
      const seen = sight.reach(list).slot?.seen
      const exposed = seen ? this.exposed(assignment, list, seen, sight) : null
      const judgement = exposed?.judged.get(name)
      if (judgement !== undefined)
        return exposed?.byId.has(name) ? null : judgement.exposed ? 'not_selected' : judgement.why
      if (exposure?.mode === 'none') return 'none'
      if (exposure !== null && kind === 'resource') return 'not_selected'
    }
    return null
  }

  #named({ kind, name, assignment }: Meant, sight: Sight): Found | null | undefined {
    const list = kind === 'tool' ? 'tools' : 'prompts'
    const exposure = exposureOf(assignment, list)
    const byName = exposure === null ? 'yes' : admitUnseen(exposure, name)
    if (byName === 'no') return null
    const { target, slot } = sight.reach(list)
    if (slot === null) return UNLISTED
    const listed = this.#listed({ assignment, list, name }, slot, sight)
    if (listed !== 'not listed') return listed
    if ('state' in target) return UNLISTED
    if (this.#isCurrent(exposure, slot, sight)) return null
    if (sight.asked === null) return undefined
    if (byName === 'yes') return UNLISTED
    throw unchecked(assignment, name)
  }

  #resource({ name: uri, assignment }: Meant, sight: Sight): Found | null | undefined {
    const exposure = exposureOf(assignment, 'resources')
    if (exposure?.mode === 'none') return null
    const [resources, templates] = [sight.reach('resources'), sight.reach('templates')]
    if (resources.slot === null || templates.slot === null)
      return exposure === null || admitUnseen(exposure, uri) !== 'no' ? UNLISTED : null
    const tools = isApp(uri) && assignment.exposures.tools !== null ? sight.reach('tools').slot : null
    const needed = [resources.slot, templates.slot, ...(tools === null ? [] : [tools])]
    const isKnown = needed.every((slot) =>
      exposure !== null && looks(exposure) ? this.#isCurrent(exposure, slot, sight) : slot.seen !== null,
    )
    if (!isKnown && !('state' in resources.target) && sight.asked === null) return undefined
    if (tools !== null && this.#isAppHidden(assignment, tools, uri, sight)) return null
    for (const [list, { slot }] of [
      ['resources', resources],
      ['templates', templates],
    ] as const) {
      const listed = slot === null ? 'not listed' : this.#listed({ assignment, list, name: uri }, slot, sight)
      if (listed !== 'not listed') return listed
    }
    if (this.#isLikeHidden(assignment, uri, resources.slot, sight)) return null
    return exposure === null ? UNLISTED : this.#unlisted({ assignment, uri, exposure }, templates.slot, sight)
  }

  /** What stands in no list is read by a template, or because its URI is allowed by itself. */
  #unlisted(
    { assignment, uri, exposure }: { assignment: AssignmentPlan; uri: string; exposure: Exposure },
    slot: Slot,
    sight: Sight,
  ): Found | null {
    // A server that resolves them reads something else than what was allowed.
    if (exposure.mode === 'selected' && hasDotSegments(uri)) return null
    const byUri = admitUnseen(exposure, uri)
    if (slot.seen === null) {
      if (byUri === 'perhaps') throw unchecked(assignment, uri)
      return byUri === 'yes' ? UNLISTED : null
    }
    const fitting = templatesFor(slot.seen, uri)
    const shown = this.exposed(assignment, 'templates', slot.seen, sight)?.byId ?? slot.seen.byId
    if (fitting.some((template) => shown.has(template))) {
      if (looks(exposure) && !this.#isCurrent(exposure, slot, sight)) throw unchecked(assignment, uri)
      return UNLISTED
    }
    const isFree = exposure.mode === 'all' ? fitting.length === 0 : byUri === 'yes'
    return isFree ? UNLISTED : null
  }

  /** What is known of a feature that stands in a list. */
  #listed(
    { assignment, list, name }: { assignment: AssignmentPlan; list: ListKind; name: string },
    slot: Slot,
    sight: Sight,
  ): Found | null | undefined | 'not listed' {
    const definition = slot.seen?.byId.get(name)
    if (slot.seen === null || definition === undefined) return 'not listed'
    const exposed = this.exposed(assignment, list, slot.seen, sight)
    if (exposed === null) return { definition }
    const judgement = exposed.judged.get(name)
    const canAsk = !('state' in sight.reach(list).target)
    const exposure = exposureOf(assignment, list)
    const isCompared = exposure?.isStrict === true || isBound(judgement)
    const isOld = isCompared && canAsk && !this.#isCurrent(exposure, slot, sight)
    if (isOld && sight.asked === null) return undefined
    if (judgement?.why === 'unrecorded' || judgement?.why === 'unlooked') {
      if (sight.asked === null) return undefined
      throw new GatehouseError('GH_DB_UNAVAILABLE', { detail: 'a feature could not be recorded' })
    }
    if (!exposed.byId.has(name)) return null
    if (isOld) throw unchecked(assignment, name)
    return { definition }
  }

  /** A server may promise nothing: what was asked for just now is as current as it gets. */
  #isCurrent(exposure: Exposure | null, slot: Slot, { asked }: Sight): boolean {
    if (asked !== null && this.lists.isOf(slot, asked)) return true
    return this.lists.isFresh(slot, exposure !== null && looks(exposure) ? LONGEST_UNCHECKED : Infinity)
  }

  #isAppHidden(assignment: AssignmentPlan, slot: Slot, uri: string, sight: Sight): boolean {
    if (slot.seen === null) return true
    const hidden = this.exposed(assignment, 'tools', slot.seen, sight)?.hiddenApps ?? SEEN_NEVER
    return hidden.size > 0 && isLikeOneOf(hidden, uri)
  }

  /** What is hidden is not read under another spelling of its URI. */
  #isLikeHidden(assignment: AssignmentPlan, uri: string, { seen }: Slot, sight: Sight): boolean {
    const exposed = seen === null ? null : this.exposed(assignment, 'resources', seen, sight)
    return exposed !== null && exposed.hiddenNames.size > 0 && isLikeOneOf(exposed.hiddenNames, uri)
  }

  /** An app goes with its tool; while nobody knows the tools, with none. */
  #appsOfHidden(assignment: AssignmentPlan, { byId }: SeenList, sight: Sight): ReadonlySet<string> {
    if (assignment.exposures.tools === null) return SEEN_NEVER
    const tools = sight.reach('tools').slot?.seen
    if (tools) return this.exposed(assignment, 'tools', tools, sight)?.hiddenApps ?? SEEN_NEVER
    const apps = [...byId.keys()].filter((uri) => isApp(uri))
    return apps.length === 0 ? SEEN_NEVER : new Set(apps)
  }
}

const isApp = (uri: string): boolean => /^ui:/i.test(uri)
const likenesses = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>()

function isLikeOneOf(hidden: ReadonlySet<string>, uri: string): boolean {
  const known = likenesses.get(hidden) ?? new Set([...hidden].map(likenessOf))
  likenesses.set(hidden, known)
  return likenessesOf(uri).some((one) => known.has(one))
}

const isBound = (judgement: Judgement | undefined): boolean => {
  const { pin, entry } = judgement?.admission ?? { pin: null, entry: null }
  return pin !== null || (entry !== null && asks(entry)) || (judgement !== undefined && !judgement.exposed)
}

/** `.` or `..` as a segment, in clear or as a percent-encoding of it, with any separator. */
function hasDotSegments(uri: string): boolean {
  let plain = uri
  for (let turn = 0; turn < 5; turn++)
    plain = plain.replaceAll(/%(25|2e|2f|5c)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  return /(^|[/\\:=?&#;,])\.\.?([/\\?&#;,]|$)/.test(plain)
}

const compiled = new WeakMap<SeenList['byId'], readonly (readonly [string, UriTemplate])[]>()

function templatesFor({ byId }: SeenList, uri: string): string[] {
  const known = compiled.get(byId)
  const templates =
    known ??
    [...byId.keys()].flatMap((text) => {
      const template = compileTemplate(text)
      return template === null ? [] : [[text, template] as const]
    })
  if (known === undefined) compiled.set(byId, templates)
  return templates.filter(([, template]) => fitsTemplate(template, uri)).map(([text]) => text)
}

function unchecked({ prefix }: AssignmentPlan, name: string): GatehouseError {
  const what = `cannot be listed now, so that nobody can tell whether '${name.slice(0, 200)}' is what was approved. Try again later`
  return fault('GH_UPSTREAM_UNREACHABLE', prefix, what)
}
