import { Answer, Config, Counters, Message, serve, Text, Value } from '@gatehouse/rule-assemblyscript/assembly'
import { judge, UNKNOWN } from './judge'
import { Dialect, MYSQL, OTHERS, POSTGRES } from './lexer'

export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'

export function evaluate(): i32 {
  return serve(look)
}

function look(message: Message): Answer {
  const names = Config.list('arguments')
  const dialects = dialectsOf(Config.text('dialect'))
  const allowed = ' ' + Config.text('allow').toString().toLowerCase().replaceAll(',', ' ') + ' '
  let found = ''
  for (let arg = message.body.get('arguments').first(); arg.exists; arg = arg.next()) {
    if (isNamed(names, arg.key)) found = lookIn(arg, dialects, allowed)
    if (found.length > 0) break
  }
  if (found.length == 0) return message.pass()
  Counters.add('writes')
  message.foundSomewhere('SQL_WRITE')
  if (found == UNKNOWN)
    return message.block('This is no SQL that is known to only read. Only statements such as SELECT are allowed here.')
  return message.block(
    'This SQL does more than read (' + found.toUpperCase() + '). Only statements that read are allowed here.',
  )
}

/** Longer SQL is not looked through, and so not known to only read. */
const LONGEST: i32 = 32768

/** All strings in an argument, however deep. */
function lookIn(value: Value, dialects: Dialect[], allowed: string): string {
  if (value.isString) return lookAt(value.text, dialects, allowed)
  for (let child = value.first(); child.exists; child = child.next()) {
    const found = lookIn(child, dialects, allowed)
    if (found.length > 0) return found
  }
  return ''
}

/** What any of the databases would take for a write is one. */
function lookAt(text: Text, dialects: Dialect[], allowed: string): string {
  if (text.length > LONGEST) return UNKNOWN
  for (let i = 0; i < dialects.length; i++) {
    const found = judge(text, dialects[i], allowed)
    if (found.length > 0) return found
  }
  return ''
}

function dialectsOf(name: Text): Dialect[] {
  if (name.equals('postgresql')) return [POSTGRES]
  if (name.equals('mysql')) return [MYSQL]
  if (name.equals('other')) return [OTHERS]
  return [POSTGRES, MYSQL, OTHERS]
}

function isNamed(names: Text[], key: Text): bool {
  for (let i = 0; i < names.length; i++) {
    if (names[i].equals('*') || key.equalsIgnoreCase(names[i].toString())) return true
  }
  return false
}
