// Data governance: some fields leave the company never, others only in part.
import { hasTextBesideData, isResponse, modify, pass, readData, replaceData, undecided } from '@gatehouse/sdk/webhook'
import { serve } from './serve.mjs'

const REMOVED = new Set(['salary', 'home_address', 'ssn'])
const MASKED = new Set(['phone', 'iban'])

serve((request) => {
  if (!isResponse(request)) return pass()
  const data = readData(request.body)
  // What has no fields cannot be searched for fields: better not to decide than to let it pass.
  if (data === undefined || hasTextBesideData(request.body)) return undecided('the result is not data alone')
  return modify(replaceData(request.body, strip(data)))
})

function strip(data) {
  if (Array.isArray(data)) return data.map(strip)
  if (typeof data !== 'object' || data === null) return data
  const kept = Object.entries(data).filter(([key]) => !REMOVED.has(key.toLowerCase()))
  return Object.fromEntries(
    kept.map(([key, value]) => [key, MASKED.has(key.toLowerCase()) ? mask(value) : strip(value)]),
  )
}

const mask = (value) => `***${String(value).slice(-4)}`
