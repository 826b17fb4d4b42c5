import type { RowReceipt } from '@gatehouse/sdk'
import type { Leg } from '../domain/record.js'
import type { ReceiptId } from '../domain/rerun.js'
import type { Database } from '../record/carry.js'
import { momentMs, timeOf } from '../record/query.js'
import type { CallFacts } from './context.js'

/** A message of the record, with what was sealed of it. */
export interface ReceiptRow extends CallFacts {
  readonly at: Date
  readonly connection_id: string | null
  readonly gateway_id: string | null
  readonly gateway_name: string | null
  readonly legs: readonly Leg[]
  readonly request: Buffer | null
  readonly request_bytes: string | null
  readonly response: Buffer | null
  readonly response_bytes: string | null
  readonly request_recorded: Buffer | null
  readonly request_recorded_bytes: string | null
  readonly response_recorded: Buffer | null
  readonly response_recorded_bytes: string | null
}

/** A receipt with the message on which it stands. */
export interface StoredReceipt {
  readonly id: ReceiptId
  readonly receipt: RowReceipt
  readonly row: ReceiptRow
}

const SELECT = `
  select m.at, m.id, m.root_id, m.method, m.rpc_id, m.version, m.user_id, m.user_email, m.host_id, m.host_name,
    m.connection_id, m.gateway_id, m.gateway_name, m.legs, o.request, o.request_bytes, o.response, o.response_bytes,
    o.request_recorded, o.request_recorded_bytes, o.response_recorded, o.response_recorded_bytes
  from messages m left join message_originals o on o.at = m.at and o.id = m.id
  where m.id = $1::uuid and m.at >= to_timestamp($2 / 1000.0) and m.at <= to_timestamp($3 / 1000.0)`

/** Null when it is not on record, or no longer. */
export async function findReceipt(database: Pick<Database, 'query'>, id: ReceiptId): Promise<StoredReceipt | null> {
  const at = timeOf(id.message)
  if (at === null) return null
  const { rows } = await database.query<ReceiptRow>(SELECT, [id.message, at - momentMs, at + momentMs])
  const [row] = rows
  const found = row?.legs[id.leg - 1]?.receipts?.[id.receipt - 1]
  if (row === undefined || found === undefined) return null
  return { id, receipt: { ...found, receipt_id: `${row.id}-${id.leg}.${id.receipt}` }, row }
}
