import { type Interpreter, PAGE, STACK_BYTES, STACK_TOP } from './interpreter.js'

/** Where the build's own data end and the room for its stack begins. */
export const STACK_BOTTOM = 90_208
/** How far down a call that went well can have used the stack: QuickJS's limit, and room for what does not look at it. */
const STACK_USED = STACK_BYTES + PAGE

/** The memory of an interpreter at one moment. Put back, the interpreter is in every bit what it was then. */
export interface Image {
  /**
   * `after` is how the interpreter was left: where the code was ended in its middle, or failed, no bound of what it has touched is relied
   * on.
   */
  restore(after: 'success' | 'failure'): void
}

export function takeImage(interpreter: Interpreter): Image {
  const data = interpreter.bytes.slice(0, STACK_BOTTOM)
  const heap = interpreter.bytes.slice(interpreter.heap, interpreter.break)
  const top = interpreter.break
  return {
    restore(after) {
      const { bytes } = interpreter
      const isWell = after === 'success'
      const end = isWell ? interpreter.break : bytes.length
      bytes.fill(0, isWell ? STACK_TOP - STACK_USED : STACK_BOTTOM, isWell ? STACK_TOP : interpreter.heap)
      if (end > top) bytes.fill(0, top, end)
      bytes.set(heap, interpreter.heap)
      bytes.set(data, 0)
    },
  }
}
