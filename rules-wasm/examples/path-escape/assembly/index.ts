import { Answer, Config, Counters, Message, serve, Text, Value } from '@gatehouse/rule-assemblyscript/assembly'
import { inspect } from './inspect'

export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'

export function evaluate(): i32 {
  return serve(look)
}

class Search {
  problem: string = ''
  names: Text[] = Config.list('arguments')
  roots: string[] = []
  strict: bool = Config.isTrue('strict')

  constructor() {
    const roots = Config.list('roots')
    for (let i = 0; i < roots.length; i++) this.roots.push(withoutSlash(roots[i].toString()))
  }

  /** Whether what stands in this member is a path. `*path` names all that end so. */
  isNamed(key: Text): bool {
    for (let i = 0; i < this.names.length; i++) {
      const name = this.names[i]
      if (name.byteAt(0) != 0x2a) {
        if (key.equalsIgnoreCase(name.toString())) return true
        continue
      }
      const size = name.length - 1
      if (size <= key.length && key.slice(key.length - size).equalsIgnoreCase(name.slice(1).toString())) return true
    }
    return false
  }

  walk(value: Value, isPath: bool): void {
    if (value.isString) {
      if (isPath && this.problem.length == 0) this.problem = inspect(value.text.toString(), this.roots, this.strict)
      return
    }
    const isObject = value.isObject
    for (let child = value.first(); child.exists && this.problem.length == 0; child = child.next()) {
      this.walk(child, isPath || (isObject && this.isNamed(child.key)))
    }
  }
}

function look(message: Message): Answer {
  const search = new Search()
  search.walk(message.body.get('arguments'), false)
  const uri = message.body.get('uri').text
  if (search.problem.length == 0 && uri.slice(0, 5).equalsIgnoreCase('file:')) {
    search.problem = inspect(uri.toString(), search.roots, search.strict)
  }
  if (search.problem.length == 0) return message.pass()
  Counters.add('paths')
  message.foundSomewhere(search.problem)
  return message.block(
    'A path of this call leads out of the directories that are allowed here (' + search.problem + ').',
  )
}

function withoutSlash(root: string): string {
  const path = root.replaceAll('\\', '/')
  return path.length > 1 && path.endsWith('/') ? path.substring(0, path.length - 1) : path
}
