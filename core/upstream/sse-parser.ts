import { StringDecoder } from 'node:string_decoder'

export interface SseEvent {
  /** `message` when the stream names none. */
  readonly type: string
  readonly data: string
}

export interface SseParser {
  /** Feeds bytes as they come; events are told in order, before it returns. */
  push(chunk: Buffer): void
  /** The last `id:` seen, also of events that carried no data; null before the first. */
  readonly lastEventId: string | null
  /** The last `retry:` seen, in milliseconds. */
  readonly retry: number | null
}

export interface SseParserOptions {
  /** Most characters of one event; `onOverflow` is called once and nothing is parsed after it. */
  readonly limit: number
  readonly onEvent: (event: SseEvent) => void
  readonly onOverflow: () => void
}

/** The event stream format of HTML, section 9.2.6: LF, CR and CRLF end lines; an unfinished last event is dropped. */
export function createSseParser(options: SseParserOptions): SseParser {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let first = true
  let afterCr = false
  let overflown = false
  let type = ''
  let data: string | null = null
  let lastEventId: string | null = null
  let retry: number | null = null

  function readLine(line: string): void {
    if (line === '') return dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') data = data === null ? value : `${data}\n${value}`
    else if (field === 'event') type = value
    else if (field === 'id') lastEventId = value.includes('\0') ? lastEventId : value
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) retry = Number(value)
  }

  function dispatch(): void {
    const event = data === null ? null : { type: type || 'message', data }
    type = ''
    data = null
    if (event) options.onEvent(event)
  }

  function checkSize(): boolean {
    if ((data?.length ?? 0) + rest.length <= options.limit) return true
    overflown = true
    rest = ''
    data = null
    options.onOverflow()
    return false
  }

  function push(chunk: Buffer): void {
    if (overflown) return
    let text = decoder.write(chunk)
    if (text === '') return
    if (first && text.codePointAt(0) === 0xfeff) text = text.slice(1)
    first = false
    let start = afterCr && text[0] === '\n' ? 1 : 0
    afterCr = false
    const nextBreak = text.includes('\r') ? breakOfAnyKind : lineFeed
    for (let end = nextBreak(text, start); end >= 0; end = nextBreak(text, start)) {
      const line = rest + text.slice(start, end)
      rest = ''
      start = end + 1
      if (text[end] === '\r') {
        if (start === text.length) afterCr = true
        else if (text[start] === '\n') start++
      }
      readLine(line)
      if (!checkSize()) return
    }
    rest += text.slice(start)
    checkSize()
  }

  return {
    push,
    get lastEventId() {
      return lastEventId
    },
    get retry() {
      return retry
    },
  }
}

function lineFeed(text: string, from: number): number {
  return text.indexOf('\n', from)
}

function breakOfAnyKind(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 10 || code === 13) return at
  }
  return -1
}
