// Identity: people see only rows of their own region, whatever the shared account of the server may see.
import { block, hasTextBesideData, isResponse, modify, pass, readData, replaceData } from '@gatehouse/sdk/webhook'
import { env } from 'node:process'
import { serve } from './serve.mjs'

/** Regions by person, `{"<user id>": ["emea"]}`: your directory in real life. The ids are those of /api/v1/users. */
const REGIONS = JSON.parse(env.REGIONS ?? '{}')

serve((request) => {
  if (!isResponse(request)) return pass()
  const { userGuid } = request.metadata
  const regions = userGuid === null ? [] : (REGIONS[userGuid] ?? [])
  if (regions.length === 0) return block('You have no region whose customers you may see.')
  const data = readData(request.body)
  if (data === undefined || hasTextBesideData(request.body))
    return block('This tool answers what cannot be told apart by region.')
  return modify(replaceData(request.body, scope(data, regions)))
})

/** Rows are what lies in lists, and whatever has a region. A row of a list without one is nobody's. */
function scope(data, regions) {
  if (Array.isArray(data)) return data.filter((row) => regions.includes(row?.region))
  if (typeof data !== 'object' || data === null) return data
  if ('region' in data) return regions.includes(data.region) ? data : {}
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, scope(value, regions)]))
}
