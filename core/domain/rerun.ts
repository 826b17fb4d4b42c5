import type { Evidence, Receipt, RowReceipt } from '@gatehouse/sdk'

/** What a rule came to, then or now. `reason` is not on record: it may say what the message said. */
export interface Conclusion {
  readonly verdict: Receipt['verdict']
  readonly findings: Receipt['findings']
  readonly evidence: Evidence | null
}

/** Why a verdict cannot be run again. */
export type WhyNot =
  /** The gateway keeps no sealed originals, or retention has dropped them. */
  | 'not_captured'
  /** It, or what its engine looked at besides, is longer than what is kept of a body. */
  | 'too_long'
  /** The key of its day is gone, or it is not what it should be. */
  | 'unreadable'
  /** Of what the engine looked at besides nothing was kept; or the rule looked at what is never kept. */
  | 'no_record'
  /** A rule before it had changed the message, and what it left was not kept. */
  | 'changed_before'
  /** There is no verdict: another rule had blocked the message before it was there. */
  | 'not_decided'
  /** The rule has another version by now, or is gone, and its engine keeps none of what it said. */
  | 'rule_changed'
  | 'module_gone'
  /** It was revoked, or its signature is trusted no more. */
  | 'module_refused'
  | 'engine_gone'
  /** The engine no longer takes what the rule said. */
  | 'not_prepared'

/** A verdict that was run again, or why it could not be. */
export type Rerun =
  | {
      readonly receipt: RowReceipt
      readonly kept: true
      /** Whether the rule's configuration is that of then, or today's of the same version. */
      readonly config: 'recorded' | 'current'
      readonly was: Conclusion
      /** `reason`: of a block or of an undecided one. */
      readonly now: Conclusion & { readonly reason: string | null }
      /** Verdict, findings and evidence are the same. */
      readonly identical: boolean
      /** What is not, e.g. `verdict`, `findings.ssn`, `evidence.fuel`. */
      readonly differences: readonly string[]
    }
  | {
      readonly receipt: RowReceipt
      readonly kept: false
      readonly why: WhyNot
      /** What to do. */
      readonly message: string
    }

/** Where a receipt stands: `<id of the message>-<leg>.<n>`. */
export interface ReceiptId {
  readonly message: string
  readonly leg: number
  readonly receipt: number
}

const RECEIPT_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([1-9]\d{0,5})\.([1-9]\d{0,5})$/i

/** Null for what is no id of a receipt. */
export function readReceiptId(text: string): ReceiptId | null {
  const [, message, leg, receipt] = RECEIPT_ID.exec(text) ?? []
  if (message === undefined) return null
  return { message: message.toLowerCase(), leg: Number(leg), receipt: Number(receipt) }
}

/** The paths of all that differs between two conclusions, in a fixed order. */
export function differencesOf(was: Conclusion, now: Conclusion): readonly string[] {
  const verdict = was.verdict === now.verdict ? [] : ['verdict']
  const findings = keysThatDiffer(was.findings, now.findings).map((key) => `findings.${key}`)
  const evidence = keysThatDiffer(was.evidence ?? {}, now.evidence ?? {}).map((key) => `evidence.${key}`)
  return [...verdict, ...findings, ...evidence]
}

type Values = Readonly<Record<string, string | number>>

/** Types are what an engine says: one may be called like what every object has. */
function keysThatDiffer(a: Values, b: Values): readonly string[] {
  const own = (values: Values, key: string) => (Object.hasOwn(values, key) ? values[key] : undefined)
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].filter((key) => own(a, key) !== own(b, key)).toSorted()
}
