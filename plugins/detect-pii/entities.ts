/** What can be looked for, by Presidio's names. */
export const ENTITIES = [
  'CREDIT_CARD',
  'IBAN_CODE',
  'US_BANK_NUMBER',
  'CRYPTO',
  'US_SSN',
  'US_ITIN',
  'US_PASSPORT',
  'US_DRIVER_LICENSE',
  'UK_NHS',
  'MEDICAL_LICENSE',
  'PERSON',
  'EMAIL_ADDRESS',
  'PHONE_NUMBER',
  'LOCATION',
  'NRP',
  'IP_ADDRESS',
  'URL',
  'DATE_TIME',
] as const
export type Entity = (typeof ENTITIES)[number]

/** Those that no pattern tells: a worker looks for them. */
export const NAMES = ['PERSON', 'LOCATION', 'NRP'] as const
export type Name = (typeof NAMES)[number]

export const isName = (entity: Entity): entity is Name => (NAMES as readonly Entity[]).includes(entity)
