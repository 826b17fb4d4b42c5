import { Answer, Config, Counters, Message, serve, Text } from '@gatehouse/rule-assemblyscript/assembly'
import { readImage, readLine, readMark } from './marks'
import { Signals } from './signals'
import { readSign } from './unicode'
import { isLetter, Words } from './words'

export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'

export function evaluate(): i32 {
  return serve(look)
}

function look(message: Message): Answer {
  const found = new Signals()
  const texts = message.texts
  for (let i = 0; i < texts.length; i++) read(texts[i], found)
  if (found.isEmpty) return message.pass()
  Counters.add('suspicious')
  if (found.score < Config.number('threshold', 0.6)) return message.pass()
  Counters.add('injections')
  found.tell(message)
  return message.block('This result holds what reads like instructions to the model, not data. It was kept back.')
}

function read(original: Text, found: Signals): void {
  const text = found.begin(original)
  const words = new Words(text, found)
  const base = text.at
  const size = text.length
  let isLineStart = true
  let i = 0
  while (i < size) {
    const c = <i32>load<u8>(base + i)
    if (c <= 0x20) {
      if (c == 0x0a) isLineStart = true
      i++
      continue
    }
    if (isLineStart) {
      readLine(text, i, found)
      isLineStart = false
    }
    if (isLetter(c)) i = words.read(i)
    else if (c >= 0x80) i = readSign(text, i, found)
    else {
      if (c == 0x3c || c == 0x5b || c == 0x23) readMark(text, i, found)
      else if (c == 0x21) readImage(text, i, found)
      i++
    }
  }
}
