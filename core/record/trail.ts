import type { MessageRecord } from '../domain/record.js'

/** Collects the facts and legs of one message on its way; closed once, at its end. */
export interface Trail {
  readonly correlationId: string
  close(): MessageRecord
}
