import { Answer, Config, Counters, Message, parse, serve, Text, Value } from '@gatehouse/rule-assemblyscript/assembly'
import { isAllowed } from './matcher'

export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'

export function evaluate(): i32 {
  return serve(look)
}

function look(message: Message): Answer {
  const tools = parse(Config.text('tools'))
  if (!tools.isObject) return message.undecided('The configuration `tools` is no JSON object.')
  const tool = entryOf(tools, nameOf(message), message.call.server)
  if (!tool.exists) {
    if (Config.text('otherTools').equals('allow')) return message.pass()
    return refuse(message, 'TOOL_NOT_LISTED', 'This tool is not on the list of what may be called here.')
  }
  if (!tool.isObject) return message.undecided('The configuration of a tool is no JSON object.')
  return lookAt(message, tool)
}

function lookAt(message: Message, tool: Value): Answer {
  const required = tool.get('$required')
  const given = message.body.get('arguments')
  for (let name = required.first(); name.exists; name = name.next()) {
    if (!given.get(name.text.toString()).exists) {
      return refuse(message, 'ARGUMENT_MISSING', `The argument "${shown(name.text)}" must be given here.`)
    }
  }
  const others = tool.get('*')
  for (let argument = given.first(); argument.exists; argument = argument.next()) {
    const problem = check(argument, '', tool, others)
    if (problem.length == 0) continue
    return refuse(
      message,
      'ARGUMENT_NOT_ALLOWED',
      `The argument "${problem}" does not have a value that is allowed here.`,
    )
  }
  return message.pass()
}

/** The way to what is not allowed; empty: all is. An object is looked at by its members, named `outer.inner`. */
function check(argument: Value, outer: string, tool: Value, others: Value): string {
  const way = outer + argument.key.toString()
  const matchers = tool.get(way)
  if (argument.isObject && argument.first().exists && !matchers.exists) {
    let inner = argument.first()
    for (; inner.exists; inner = inner.next()) {
      const problem = check(inner, way + '.', tool, others)
      if (problem.length > 0) return problem
    }
    return ''
  }
  const wanted = way.startsWith('$') || way == '*' || !matchers.exists ? others : matchers
  return wanted.exists && isAllowed(argument, wanted) ? '' : shown(argument.key)
}

/** `server/tool` goes before `tool`. */
function entryOf(tools: Value, name: Text, server: Text): Value {
  const whole = tools.get(server.toString() + '/' + name.toString())
  return whole.exists ? whole : tools.get(name.toString())
}

/** What the server calls the tool: the gateway may have given it another name. */
function nameOf(message: Message): Text {
  const name = message.call.feature
  return name.isEmpty ? message.body.get('name').text : name
}

/** Never empty: that would say that nothing is wrong. */
function shown(name: Text): string {
  return name.isEmpty ? '(without a name)' : name.toString().substring(0, 60)
}

function refuse(message: Message, type: string, reason: string): Answer {
  Counters.add('refused')
  message.foundSomewhere(type)
  return message.block(reason)
}
