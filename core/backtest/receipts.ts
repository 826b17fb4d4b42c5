import type { PluginLog } from '@gatehouse/sdk'
import { guarded } from '../db/repositories/failures.js'
import type { Gateway } from '../domain/nouns.js'
import type { ReceiptId, Rerun } from '../domain/rerun.js'
import { GatehouseError } from '../errors.js'
import type { Database } from '../record/carry.js'
import { rerunReceipt, type RerunOptions } from './rerun.js'
import { findReceipt, type StoredReceipt } from './stored-receipt.js'

/** The receipts that are on record, and their verdicts once more. */
export interface Receipts {
  find(id: ReceiptId): Promise<StoredReceipt | null>
  /** Whether its engine sends texts to another service. */
  isExternal(stored: StoredReceipt): boolean
  /** `by` is who asked. */
  rerun(stored: StoredReceipt, gateway: Gateway, by: string | null): Promise<Rerun>
}

/** Each prepares a rule anew, which costs more than a call. */
const MOST_AT_ONCE = 4

export interface ReceiptsOptions extends RerunOptions {
  readonly database: Pick<Database, 'query'>
  /** What was kept sealed is opened: that stands in the log. */
  readonly logger: Pick<PluginLog, 'info'>
}

export function createReceipts({ database, logger, ...options }: ReceiptsOptions): Receipts {
  let running = 0
  return {
    find: (id) => guarded(() => findReceipt(database, id)),
    isExternal: ({ receipt }) =>
      options.kinds().some(({ kind, instance }) => kind === receipt.engine && instance !== null),
    async rerun(stored, gateway, by) {
      if (running >= MOST_AT_ONCE)
        throw new GatehouseError('GH_BACKTEST_BUSY', {
          message: 'Other verdicts are just being run again at this gateway. Try again in a moment.',
        })
      running += 1
      logger.info({ receipt: stored.receipt.receipt_id, by, gatewayId: gateway.id }, 'a verdict is run again')
      return rerunReceipt(options, stored, gateway).finally(() => (running -= 1))
    },
  }
}
