import { Config, Message, serve } from '@gatehouse/rule-assemblyscript/assembly'
export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'

/** Reads the JSON and looks for one phrase in all texts, whatever its case; tells where it stands. */
export function evaluate(): i32 {
  return serve((message: Message) => {
    const phrase = Config.text('phrase').toString()
    const texts = message.texts
    for (let i = 0; i < texts.length; i++) {
      const text = texts[i]
      for (let at = text.indexOfIgnoreCase(phrase); at >= 0; at = text.indexOfIgnoreCase(phrase, at + 1)) {
        message.found('phrase', text, at, at + phrase.length)
      }
    }
    return message.pass()
  })
}
