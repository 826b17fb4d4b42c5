import { Answer } from './answer'
import { inputRead, outputWrite } from './host'
import { beginCall, Buffer } from './memory'
import { Message, unread } from './message'
import { Tape } from './tape'
import { Value } from './value'

/** Says which contract the module was built for. */
export function gatehouse_rule_abi_1(): void {}

/** What fits is read in one copy. */
const FIRST_ROOM = 65_536

/**
 * Reads the message, asks the rule, and hands over its answer. What a call makes lives as long as the call: nothing of it may be
 * kept in a global.
 */
export function serve(rule: (message: Message) => Answer): i32 {
  beginCall()
  const input = readInput()
  const tape = new Tape(input.at, input.length)
  const answer = tape.count > 0 ? rule(new Message(new Value(tape, 0))) : unread()
  outputWrite(answer.json.at, answer.json.length)
  return 0
}

function readInput(): Buffer {
  const input = new Buffer(FIRST_ROOM)
  let room = FIRST_ROOM
  let isFull = true
  while (isFull) {
    const got = inputRead(input.ensure(room), input.length, room)
    input.length += got
    isFull = got === room
    room = input.length
  }
  input.fit()
  return input
}
