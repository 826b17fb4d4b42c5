import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import type { Assignment } from '../../domain/nouns.js'
import {
  ALL,
  DEFAULT_PINNING,
  EVERYTHING,
  HINTS,
  PIN_FIELDS,
  type AllowEntry,
  type Exposing,
  type Pin,
  type PinField,
  type Pinning,
  type Provisioning,
} from '../../domain/provisioning.js'
import type { Assignment as AssignmentSchema, Pinning as PinningSchema } from '../schemas.js'
import { mustHold } from '../work.js'
import type { Work } from '../work.js'

/** What of a server exists on a gateway, as file and API say it. */

export type ProvisioningInput = Pick<z.output<typeof AssignmentSchema>, 'tools' | 'prompts' | 'resources'>
export type PinningInput = z.output<typeof PinningSchema>
type EntryInput = NonNullable<NonNullable<ProvisioningInput['tools']>['allow']>[number]

export const PROVISIONING_CAPABILITY = 'manageFeatureProvisioningSettings'

/** What is left out is as it was, or everything. */
export function provisioningOf(input: ProvisioningInput, before: Provisioning = EVERYTHING): Provisioning {
  const { tools, prompts, resources } = input
  return {
    tools: tools ? exposingOf(tools) : before.tools,
    prompts: prompts ? exposingOf(prompts) : before.prompts,
    resources: resources ? exposingOf(resources) : before.resources,
  }
}

/** As it is stored: every key that counts, in one form. */
export function exposingOf({
  mode,
  allow = [],
}: {
  mode: Exposing['mode']
  allow?: readonly EntryInput[] | undefined
}): Exposing {
  return mode === 'selected' ? { mode, allow: allow.map(entryOf) } : { ...ALL, mode }
}

export function pinningOf(input: PinningInput | undefined, before: Pinning = DEFAULT_PINNING): Pinning {
  const { onChange, trustOnFirstUse, newFeatures, fields } = input ?? {}
  return {
    onChange: onChange ?? before.onChange,
    trustOnFirstUse: trustOnFirstUse ?? before.trustOnFirstUse,
    newFeatures: newFeatures ?? before.newFeatures,
    fields: fields ? inOrder(fields) : before.fields,
  }
}

/** As the file would say it: short where that says the same. */
export function writeExposing({ mode, allow }: Exposing): unknown {
  if (allow.length === 0) return { mode }
  return {
    mode,
    allow: allow.map(({ pin, ...entry }) => (pin === undefined ? entry : { ...entry, pin: writePin(pin) })),
  }
}

function writePin({ fields, sha256 }: Pin): unknown {
  if (sha256 !== undefined) return { fields, sha256 }
  return fields.length === PIN_FIELDS.length ? true : fields
}

/**
 * Whoever changes what of a server exists needs the capability for it, by whatever way the change comes: taking a server off and
 * putting it back, or beside itself under another name, is one.
 */
export function mustBeAllowedToProvision(
  work: Work,
  before: readonly Assignment[],
  after: readonly (Pick<Assignment, 'provisioning' | 'serverId'> & { readonly id?: string })[],
): void {
  const isChosen = ({ provisioning }: Pick<Assignment, 'provisioning'>) => !isDeepStrictEqual(provisioning, EVERYTHING)
  const chosen = before.filter(isChosen)
  const isLost = chosen.some((one) => !after.some(({ id }) => id === one.id))
  const isChanged = after.some((one) => {
    const stored = before.find(({ id }) => id === one.id)
    if (stored !== undefined) return !isDeepStrictEqual(stored.provisioning, one.provisioning)
    return isChosen(one) || chosen.some(({ serverId }) => serverId === one.serverId)
  })
  if (isLost || isChanged) mustHold(work, PROVISIONING_CAPABILITY)
}

function entryOf({ name, pin, ...given }: EntryInput): AllowEntry {
  const hints = Object.fromEntries(
    HINTS.flatMap((hint) => (given[hint] === undefined ? [] : [[hint, given[hint]]])),
  ) as Pick<AllowEntry, (typeof HINTS)[number]>
  return { name, ...hints, ...(pin === undefined ? {} : { pin: pinOf(pin) }) }
}

function pinOf(pin: NonNullable<EntryInput['pin']>): Pin {
  if (pin === true) return { fields: PIN_FIELDS }
  if (Array.isArray(pin)) return { fields: inOrder(pin) }
  const { fields, sha256 } = pin as { fields: readonly string[]; sha256?: string | undefined }
  return { fields: inOrder(fields), ...(sha256 === undefined ? {} : { sha256 }) }
}

/** The name is always pinned, and need not be said. */
const inOrder = (fields: readonly string[]): readonly PinField[] => PIN_FIELDS.filter((field) => fields.includes(field))
