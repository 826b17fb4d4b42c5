// Data governance: what breaks the policy does not pass at all.
import { block, isResponse, pass, readData, readTexts } from '@gatehouse/sdk/webhook'
import { serve } from './serve.mjs'

const MOST_ROWS = 100

serve((request) => {
  if (!isResponse(request)) return pass()
  if (readTexts(request.body).some((text) => /\b(?:strictly confidential|attorney.client privileged)\b/i.test(text)))
    return block('Documents with this marking do not leave the document system.')
  // The reason is read by the model: say what can be done instead, and nothing of what was found.
  if (rowsOf(readData(request.body)) > MOST_ROWS) return block(`Ask for at most ${MOST_ROWS} rows at a time.`)
  return pass()
})

function rowsOf(data) {
  if (Array.isArray(data)) return Math.max(data.length, ...data.map(rowsOf))
  if (typeof data !== 'object' || data === null) return 0
  return Math.max(0, ...Object.values(data).map(rowsOf))
}
