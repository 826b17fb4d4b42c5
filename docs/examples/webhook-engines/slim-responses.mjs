// Cost: only the fields that the model needs. A list of a thousand rows shrinks to a tenth.
import { isResponse, modify, pass, readData, replaceData } from '@gatehouse/sdk/webhook'
import { serve } from './serve.mjs'

/** What stays, by tool; other tools are left alone. */
const KEEP = { list_orders: ['id', 'customer', 'total'] }

serve((request) => {
  const keep = KEEP[request.metadata.toolName]
  if (!isResponse(request) || keep === undefined) return pass()
  const data = readData(request.body)
  if (data === undefined) return pass()
  return modify(replaceData(request.body, slim(data, keep)))
})

function slim(data, keep) {
  if (Array.isArray(data)) return data.map((item) => slim(item, keep))
  if (typeof data !== 'object' || data === null) return data
  // The list may stand in an envelope: { orders: [...], next: "..." }.
  if (!keep.some((field) => field in data))
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, slim(value, keep)]))
  return Object.fromEntries(keep.filter((field) => field in data).map((field) => [field, data[field]]))
}
