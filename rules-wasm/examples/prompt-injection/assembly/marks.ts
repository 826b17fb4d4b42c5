import { Text } from '@gatehouse/rule-assemblyscript/assembly'
import { IMAGE_URL, ROLE_MARKER, Signals } from './signals'

/** Marks that part the turns of a conversation in the formats of models. They have no business in what a tool answers. */
const MARKS: string[] = [
  '<|im_start|>',
  '<|im_end|>',
  '<|system|>',
  '<|user|>',
  '<|assistant|>',
  '<|endoftext|>',
  '<|eot_id|>',
  '<|start_header_id|>',
  '<|channel|>',
  '<start_of_turn>',
  '<<SYS>>',
  '[INST]',
  '[/INST]',
  '<system>',
  '</system>',
  '<system_prompt>',
  '<system-reminder>',
  '<important>',
  '<function_calls>',
  '<tool_call>',
  '</tool_result>',
  '</tool_response>',
  '### instruction',
  '### system',
]
const SPEAKERS: string[] = ['system:', 'assistant:', 'human:', '[system]']

/** Looks at a `<`, a `[` or a `#`. */
export function readMark(text: Text, at: i32, found: Signals): void {
  const first = text.byteAt(at)
  const second = text.byteAt(at + 1) | 32
  if (!mayBegin(first, second)) return
  if (stands(text, '<img', at)) return readImageTag(text, at, found)
  for (let i = 0; i < MARKS.length; i++) {
    const mark = MARKS[i]
    if (mark.charCodeAt(0) != first || (mark.charCodeAt(1) | 32) != second) continue
    if (stands(text, mark, at)) return found.add(ROLE_MARKER, at, at + mark.length, 0.5)
  }
}

/** Whether any mark begins with these two. */
function mayBegin(first: i32, second: i32): bool {
  if (first == 0x23) return second == 0x23
  if (first == 0x5b) return second == 0x69 || second == 0x2f
  return second == 0x7c || second == 0x3c || second == 0x2f || (second >= 0x66 && second <= 0x74)
}

/** Looks at the beginning of a line. */
export function readLine(text: Text, at: i32, found: Signals): void {
  const c = text.byteAt(at) | 32
  if (c != 0x73 && c != 0x61 && c != 0x68 && c != 0x7b) return
  for (let i = 0; i < SPEAKERS.length; i++) {
    const speaker = SPEAKERS[i]
    if (stands(text, speaker, at)) found.add(ROLE_MARKER, at, at + speaker.length, 0.25)
  }
}

/** How far behind `![` the address of an image may begin, and how long it may be. */
const TITLE: i32 = 120
const ADDRESS: i32 = 4000
const LONG_QUERY: i32 = 32

/** Looks at a `!`: an image of Markdown is fetched without a click, with all that its address holds. */
export function readImage(text: Text, at: i32, found: Signals): void {
  if (text.byteAt(at + 1) != 0x5b) return
  const open = text.slice(at, at + TITLE).indexOf('](')
  if (open >= 0) readAddress(text, at + open + 2, found)
}

/** The same in HTML. */
function readImageTag(text: Text, at: i32, found: Signals): void {
  const source = text.slice(at, at + TITLE).indexOfIgnoreCase('src=')
  if (source < 0) return
  const quote = text.byteAt(at + source + 4)
  readAddress(text, at + source + (quote == 0x22 || quote == 0x27 ? 5 : 4), found)
}

function readAddress(text: Text, start: i32, found: Signals): void {
  if (!stands(text, 'http', start) && !stands(text, '//', start)) return
  let end = start
  while (end < min(text.length, start + ADDRESS) && !endsAddress(text.byteAt(end))) end++
  const address = text.slice(start, end)
  const query = address.indexOf('?')
  if (query < 0) {
    if (holdsPlace(address, 0)) found.add(IMAGE_URL, start, end, 0.3)
    return
  }
  if (holdsPlace(address, query)) found.add(IMAGE_URL, start, end, 0.6)
  else if (address.length - query > LONG_QUERY) found.add(IMAGE_URL, start, end, 0.3)
}

/** Whether the query has places to be filled in: `{data}`, `<data>`, `[data]`, `$data`, or these encoded. */
function holdsPlace(address: Text, from: i32): bool {
  for (let i = from; i < address.length; i++) {
    const c = address.byteAt(i)
    if (c == 0x7b || c == 0x3c || c == 0x5b || c == 0x24) return true
    if (c == 0x25 && address.slice(i + 1, i + 3).equalsIgnoreCase('7b')) return true
  }
  return false
}

/** White space, a quote, or a bracket that closes. */
function endsAddress(c: i32): bool {
  return c <= 0x20 || c == 0x22 || c == 0x27 || c == 0x29
}

function stands(text: Text, word: string, at: i32): bool {
  return text.slice(at, at + word.length).equalsIgnoreCase(word)
}
