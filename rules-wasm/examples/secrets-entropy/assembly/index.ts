import { Answer, Config, Message, Plain, serve, Text } from '@gatehouse/rule-assemblyscript/assembly'
import { KNOWN, NONE, PRIVATE_KEY, Settings, Tokens } from './tokens'

export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'

export function evaluate(): i32 {
  return serve(look)
}

function look(message: Message): Answer {
  const settings = readSettings()
  const texts = message.texts
  for (let i = 0; i < texts.length; i++) lookAt(message, texts[i], settings)
  return message.count > 0
    ? message.block('This message holds what looks like a secret: a key, a token or a password.')
    : message.pass()
}

function lookAt(message: Message, text: Text, settings: Settings): void {
  const plain = new Plain(text)
  const tokens = new Tokens(plain.text, settings)
  for (let kind = tokens.next(); kind != NONE; kind = tokens.next()) {
    message.found(nameOf(kind), text, plain.place(tokens.start), plain.place(tokens.end))
  }
}

function nameOf(kind: i32): string {
  if (kind == PRIVATE_KEY) return 'PRIVATE_KEY'
  return kind == KNOWN ? 'KNOWN_TOKEN' : 'RANDOM_TOKEN'
}

function readSettings(): Settings {
  const hex = Config.text('hex')
  return new Settings(
    <i32>Config.integer('minLength', 20),
    Config.number('minEntropy', 3.8),
    hex.equals('always') ? 2 : hex.equals('never') ? 0 : 1,
    Config.list('allow'),
  )
}
