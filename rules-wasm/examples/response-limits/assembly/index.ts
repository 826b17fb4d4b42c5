import { Answer, Config, Counters, Message, serve, Value } from '@gatehouse/rule-assemblyscript/assembly'
import { Cut } from './cut'
import { longest, Rows } from './rows'

export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'

export function evaluate(): i32 {
  return serve(look)
}

function look(message: Message): Answer {
  const mostRows = <i32>Config.integer('maxRows', 200)
  const mostBytes = <i32>Config.integer('maxBytes', 32768)
  const structured = message.body.get('structuredContent')
  const texts = textsOf(message)
  const found: Rows[] = []
  let rows = 0
  let bytes = 0
  for (let i = 0; i < texts.length; i++) {
    found.push(new Rows(texts[i].text))
    bytes += found[i].text.length
    rows += found[i].count
  }
  // A server says the same twice: structured, and as text.
  rows = max(rows, longest(structured))
  bytes = max(bytes, structured.raw.length)
  if (rows <= mostRows && bytes <= mostBytes) return message.pass()
  Counters.add('large')
  message.foundSomewhere(rows > mostRows ? 'TOO_MANY_ROWS' : 'TOO_MANY_BYTES')
  const reason =
    rows > mostRows ? `${rows} rows, and ${mostRows} are allowed` : `${bytes} bytes, and ${mostBytes} are allowed`
  if (!Config.text('over').equals('cut')) return message.block(`This result has ${reason}. Ask for less at a time.`)
  const cut = new Cut(message, mostRows, mostBytes)
  cut.structured(structured)
  for (let i = 0; i < texts.length; i++) cut.text(texts[i], found[i])
  if (cut.isStuck) return message.block(`This result has ${reason}, and cannot be cut to that. Ask for less at a time.`)
  return message.modify()
}

/** Of tools, resources and prompts. */
function textsOf(message: Message): Value[] {
  const texts: Value[] = []
  push(texts, message.all('content[*].text'))
  push(texts, message.all('content[*].resource.text'))
  push(texts, message.all('contents[*].text'))
  push(texts, message.all('messages[*].content.text'))
  return texts
}

function push(texts: Value[], more: Value[]): void {
  for (let i = 0; i < more.length; i++) if (more[i].isString) texts.push(more[i])
}
