import { EU_IDENTIFIERS } from './patterns/identifiers-eu.js'
import { US_IDENTIFIERS } from './patterns/identifiers-us.js'
import { FINANCIAL_PATTERNS } from './patterns/financial.js'
import { INJECTION_PATTERNS } from './patterns/injection.js'
import type { LibraryPattern, PatternGroup, Ungrouped } from './patterns/pattern.js'
import { AI_SECRETS } from './patterns/secrets-ai.js'
import { CLOUD_SECRETS } from './patterns/secrets-clouds.js'
import { CODE_SECRETS } from './patterns/secrets-code.js'
import { DATA_SECRETS } from './patterns/secrets-data.js'
import { WORK_SECRETS } from './patterns/secrets-work.js'

export { CHECKS } from './patterns/checks.js'
export type { Check, CheckName, Stretch } from './patterns/checks.js'
export type { LibraryPattern, PatternGroup } from './patterns/pattern.js'
export { isPlaceholder } from './patterns/placeholder.js'

const inGroup = (group: PatternGroup, patterns: readonly Ungrouped[]): LibraryPattern[] =>
  patterns.map((pattern) => ({ ...pattern, group }))

/** The ready patterns, by group. They are data for engines: ids are names that rules and receipts use, and do not change. */
export const PATTERNS: readonly LibraryPattern[] = [
  ...inGroup('prompt-injection', INJECTION_PATTERNS),
  ...inGroup('secrets', [...CLOUD_SECRETS, ...CODE_SECRETS, ...AI_SECRETS, ...WORK_SECRETS, ...DATA_SECRETS]),
  ...inGroup('financial', FINANCIAL_PATTERNS),
  ...inGroup('us-identifiers', US_IDENTIFIERS),
  ...inGroup('eu-identifiers', EU_IDENTIFIERS),
]

export const PATTERN_GROUPS: readonly PatternGroup[] = [...new Set(PATTERNS.map(({ group }) => group))]
