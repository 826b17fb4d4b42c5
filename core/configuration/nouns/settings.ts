import type { z } from 'zod'
import type { Limits, Settings } from '../../domain/nouns.js'
import type { Settings as SettingsSchema } from '../schemas.js'
import { given, mustCover, mustRefer } from '../work.js'
import type { Work } from '../work.js'

export type SettingsInput = z.output<typeof SettingsSchema>

/** Changes what is named and leaves the rest. */
export async function updateSettings(work: Work, input: SettingsInput): Promise<Settings> {
  const before = await work.store.settings.get()
  const settings = { ...before, ...(await changes(work, before, input)) }
  await work.store.settings.set(settings)
  return settings
}

async function changes(work: Work, before: Settings, input: SettingsInput): Promise<Partial<Settings>> {
  const { limits, retentionDays, refreshReuse, defaultRole, ruleModules, ...plain } = input
  const role = defaultRole === undefined ? undefined : await mustRefer(work.store.roles, 'defaultRole', defaultRole)
  // Whoever signs in for the first time gets this role: it must not hold what the actor does not.
  if (role !== undefined && role.slug !== before.defaultRole)
    mustCover(work, role.capabilities, `the role '${role.slug}'`)
  return {
    ...given(plain),
    ...(role === undefined ? {} : { defaultRole: role.slug }),
    ...(retentionDays === undefined ? {} : { retentionDays: { ...before.retentionDays, ...given(retentionDays) } }),
    ...(refreshReuse === undefined ? {} : { refreshReuse: { ...before.refreshReuse, ...given(refreshReuse) } }),
    ...(ruleModules === undefined ? {} : { ruleModules: { ...before.ruleModules, ...given(ruleModules) } }),
    ...(limits === undefined ? {} : { limits: limitsOf(before.limits, limits) }),
  }
}

function limitsOf(before: Limits, { parkedCalls = {}, ...plain }: NonNullable<SettingsInput['limits']>): Limits {
  return { ...before, ...given(plain), parkedCalls: { ...before.parkedCalls, ...given(parkedCalls) } }
}
