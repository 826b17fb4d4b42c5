import type { JsonObject } from '@gatehouse/sdk'
import { compileGlob, type Matcher } from './globs.js'

/** What may be provisioned apart; templates of resources go with resources. */
export type FeatureGroup = 'tools' | 'prompts' | 'resources'
export const FEATURE_GROUPS: readonly FeatureGroup[] = ['tools', 'prompts', 'resources']

/** The parts of a definition that a pin may hold, in the order in which they are shown. The name is always held. */
export const PIN_FIELDS = ['title', 'description', 'schema', 'annotations', 'icons', 'meta', 'other'] as const
export type PinField = (typeof PIN_FIELDS)[number]

/** With `sha256` (see `pinHash`) nothing else is trusted; without, what was approved, or else seen first. */
export interface Pin {
  readonly fields: readonly PinField[]
  readonly sha256?: string
}

/** What a tool says of itself; one that says nothing counts as the protocol has it: it may write, destroy, reach out. */
export interface Hints {
  readonly readOnly?: boolean
  readonly destructive?: boolean
  readonly idempotent?: boolean
  readonly openWorld?: boolean
}
export const HINTS = ['readOnly', 'destructive', 'idempotent', 'openWorld'] as const

export interface AllowEntry extends Hints {
  /** A glob on the server's own name of it: the URI of a resource, the URI template of a template. */
  readonly name: string
  readonly pin?: Pin
}

/** `allow` is empty unless the mode is `selected`. */
export interface Exposing {
  readonly mode: 'all' | 'selected' | 'none'
  readonly allow: readonly AllowEntry[]
}

/** What of a server exists on a gateway. */
export type Provisioning = Readonly<Record<FeatureGroup, Exposing>>

export const ALL: Exposing = Object.freeze({ mode: 'all', allow: Object.freeze([]) })
export const EVERYTHING: Provisioning = Object.freeze({ tools: ALL, prompts: ALL, resources: ALL })

/** What a gateway does with pinned features: see `judge`. */
export interface Pinning {
  readonly onChange: 'quarantine' | 'alert'
  readonly trustOnFirstUse: boolean
  /** What appears at a server after its features were first recorded. */
  readonly newFeatures: 'allow' | 'quarantine'
  /** Of features that are pinned because they were trusted at first use. */
  readonly fields: readonly PinField[]
}
export const DEFAULT_PINNING: Pinning = Object.freeze({
  onChange: 'quarantine',
  trustOnFirstUse: false,
  newFeatures: 'allow',
  fields: PIN_FIELDS,
})

/**
 * What is done about features whose definition looks poisoned. `quarantine` shows nothing that was not looked through, and
 * what is suspicious only once it is approved.
 */
export const POISONING = ['off', 'alert', 'quarantine'] as const
export type Poisoning = (typeof POISONING)[number]
export const DEFAULT_POISONING: Poisoning = 'alert'

/** An exposing made ready; null stands for everything, unpinned, which costs nothing. */
export interface Exposure {
  readonly mode: Exposing['mode']
  readonly entries: readonly (AllowEntry & {
    readonly index: number
    readonly fits: Matcher
    readonly isGlob: boolean
  })[]
  readonly pinning: Pinning
  /** Nothing exists that was not looked through. */
  readonly isStrict: boolean
}
export type Exposures = Readonly<Record<FeatureGroup, Exposure | null>>
export const OPEN: Exposures = Object.freeze({ tools: null, prompts: null, resources: null })

export function compileExposures(
  provisioning: Provisioning,
  pinning: Pinning,
  poisoning: Poisoning = DEFAULT_POISONING,
): Exposures {
  const isStrict = poisoning === 'quarantine'
  const [tools, prompts, resources] = FEATURE_GROUPS.map((group) => compile(provisioning[group], pinning, isStrict))
  if (!tools && !prompts && !resources) return OPEN
  return Object.freeze({ tools: tools ?? null, prompts: prompts ?? null, resources: resources ?? null })
}

function compile({ mode, allow }: Exposing, pinning: Pinning, isStrict: boolean): Exposure | null {
  if (mode === 'all' && !pinning.trustOnFirstUse && !isStrict) return null
  const entries = allow.map((entry, index) => {
    return { ...entry, index, fits: compileGlob(entry.name), isGlob: entry.name.includes('*') }
  })
  return Object.freeze({ mode, entries, pinning, isStrict })
}

/** Whether it looks at more than names: then a list has to be of now before anything is called from it. */
export const looks = (exposure: Exposure): boolean =>
  pins(exposure) || exposure.isStrict || exposure.entries.some((entry) => asks(entry))

/** Something is asked of what a tool says of itself. */
export const asks = (entry: AllowEntry): boolean => HINTS.some((hint) => entry[hint] !== undefined)

/** Whether any feature that it lets through is pinned. */
export const pins = ({ entries, pinning }: Exposure): boolean =>
  pinning.trustOnFirstUse || entries.some(({ pin }) => pin !== undefined)

/** How a feature is let through: by which entry (none in the mode `all`), and what of it is pinned. */
export interface Admission {
  readonly entry: AllowEntry | null
  readonly index: number | null
  readonly pin: Pin | null
  /** It waits for somebody when it appears after the others were recorded: nobody meant it by its very name. */
  readonly waits: boolean
}

/** The first entry that fits decides. Null: it does not exist on this gateway. */
export function admit(exposure: Exposure, name: string, definition: JsonObject): Admission | null {
  const { trustOnFirstUse, fields, newFeatures } = exposure.pinning
  const first = trustOnFirstUse ? { fields } : null
  const waits = newFeatures === 'quarantine'
  switch (exposure.mode) {
    case 'none':
      return null
    case 'all':
      return { entry: null, index: null, pin: first, waits }
    case 'selected': {
      const hints = hintsOf(definition)
      const entry = exposure.entries.find((one) => one.fits(name) && HINTS.every((hint) => agrees(one, hints, hint)))
      if (entry === undefined) return null
      return { entry, index: entry.index, pin: entry.pin ?? first, waits: waits && entry.isGlob }
    }
  }
}

/** What can be said of a feature by its name alone, when nobody can list it: `perhaps` needs its definition. */
export function admitUnseen(exposure: Exposure, name: string): 'yes' | 'no' | 'perhaps' {
  if (exposure.mode === 'none') return 'no'
  if (exposure.pinning.trustOnFirstUse || exposure.isStrict) {
    const mayFit = exposure.mode === 'all' || exposure.entries.some(({ fits }) => fits(name))
    return mayFit ? 'perhaps' : 'no'
  }
  if (exposure.mode === 'all') return 'yes'
  const [first] = exposure.entries.filter(({ fits }) => fits(name))
  if (first === undefined) return 'no'
  return first.pin === undefined && !asks(first) ? 'yes' : 'perhaps'
}

const agrees = (entry: AllowEntry, hints: Required<Hints>, hint: (typeof HINTS)[number]): boolean =>
  entry[hint] === undefined || entry[hint] === hints[hint]

/** Whoever only reads destroys nothing, whatever else it says. */
function hintsOf({ annotations }: JsonObject): Required<Hints> {
  const given = (typeof annotations === 'object' && annotations !== null ? annotations : {}) as JsonObject
  const said = (key: string, otherwise: boolean) => (typeof given[key] === 'boolean' ? given[key] : otherwise)
  const readOnly = said('readOnlyHint', false)
  return {
    readOnly,
    destructive: !readOnly && said('destructiveHint', true),
    idempotent: said('idempotentHint', false),
    openWorld: said('openWorldHint', true),
  }
}
