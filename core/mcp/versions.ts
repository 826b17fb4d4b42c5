/** The protocol revisions that are served, oldest first. Version handling is this table and nothing else. */
export const LEGACY_VERSIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'] as const
export const MODERN_VERSION = '2026-07-28'
export const LATEST_LEGACY = '2025-11-25'
/** What a request without any version is taken for (2025-06-18, transports, "Protocol Version Header"). */
export const UNSTATED_LEGACY = '2025-03-26'
/** Answered by `server/discover` and in the data of `-32022`. */
export const SUPPORTED_VERSIONS = [MODERN_VERSION, ...LEGACY_VERSIONS.toReversed()] as const

export const isLegacyVersion = (version: string): boolean => (LEGACY_VERSIONS as readonly string[]).includes(version)
/** Only one revision ever had them. */
export const hasBatches = (version: string): boolean => version === '2025-03-26'
/** The one whose streams are taken up again by the id of their last event (2025-11-25, transports, "Resumability"). */
export const hasResumption = (version: string): boolean => version === '2025-11-25'
/** Revisions are dates: a later one sorts behind. */
export const isModernOrLater = (version: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= MODERN_VERSION

const P = 'io.modelcontextprotocol/'
/** Reserved `_meta` keys of the modern envelope. */
export const META = {
  version: `${P}protocolVersion`,
  capabilities: `${P}clientCapabilities`,
  clientInfo: `${P}clientInfo`,
  logLevel: `${P}logLevel`,
  serverInfo: `${P}serverInfo`,
  subscriptionId: `${P}subscriptionId`,
} as const
export const RESERVED_META_PREFIX = P
