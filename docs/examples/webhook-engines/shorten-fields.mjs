// Cost: long texts become their first sentences. Put a call of a small model in the place of `shorten` if you have one.
import { isResponse, modify, pass, readTexts, replaceTexts } from '@gatehouse/sdk/webhook'
import { serve } from './serve.mjs'

const LONGEST = 300

serve((request) => {
  if (!isResponse(request) || readTexts(request.body).every((text) => text.length <= LONGEST)) return pass()
  return modify(replaceTexts(request.body, shorten))
})

function shorten(text) {
  if (text.length <= LONGEST) return text
  // A JSON text that is cut is no JSON any more.
  if (/^\s*[[{]/.test(text)) return text
  const begun = text.slice(0, LONGEST)
  const end = Math.max(begun.lastIndexOf('. '), begun.lastIndexOf('! '), begun.lastIndexOf('? '))
  const kept = end > 0 ? begun.slice(0, end + 1) : begun.slice(0, begun.lastIndexOf(' '))
  return `${kept} […${text.length - kept.length} more characters]`
}
