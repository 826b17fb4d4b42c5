import type { MessageRecord } from '../domain/record.js'

/** The way into the record. */
export interface Recorder {
  /**
   * Appends the record to the write-ahead log. Resolves when the bytes were handed to the operating system (`fast`) or to
   * the disk (`strict`): only then may the answer be flushed. With `fast` a full disk resolves too, counted and alerted;
   * with `strict` it throws GH_RECORD_FULL.
   */
  append(record: MessageRecord): Promise<void>
}
