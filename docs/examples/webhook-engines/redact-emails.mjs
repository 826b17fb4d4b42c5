// The tutorial: no e-mail address reaches the model.
import { isResponse, modify, pass, replaceTexts } from '@gatehouse/sdk/webhook'
import { serve } from './serve.mjs'

const EMAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g

serve((request) => {
  if (!isResponse(request)) return pass()
  let found = 0
  const body = replaceTexts(request.body, (text) => text.replace(EMAIL, () => (found++, '<EMAIL>')))
  return found === 0 ? pass() : modify(body)
})
