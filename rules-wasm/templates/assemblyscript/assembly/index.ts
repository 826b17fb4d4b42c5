import { serve } from '@gatehouse/rule-assemblyscript/assembly'
export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'

export function evaluate(): i32 {
  return serve((message) => {
    const query = message.argument('query').text
    if (query.containsWord('drop')) return message.block('Statements that drop things are not allowed here.')
    return message.pass()
  })
}
