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
  const { heap } = interpreter
  const [used, top] = [STACK_TOP - STACK_USED, interpreter.break]
  // Between two calls nothing on the stack is alive.
  interpreter.bytes.fill(0, used, STACK_TOP)
  const data = interpreter.bytes.slice(0, STACK_BOTTOM)
  const kept = interpreter.bytes.slice(heap, top)
  return {
    restore(after) {
      const { bytes } = interpreter
      if (after === 'failure') {
        for (const part of [bytes.subarray(STACK_BOTTOM, used), bytes.subarray(STACK_TOP)]) wipe(part)
      } else if (interpreter.break > top) bytes.fill(0, top, interpreter.break)
      bytes.fill(0, used, STACK_TOP)
      bytes.set(kept, heap)
      bytes.set(data, 0)
    },
  }
}

const zeros = new Uint8Array(PAGE)

/** Writes nothing where nothing was written: memory that was never touched takes no room of the machine. */
function wipe(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += PAGE) {
    const page = bytes.subarray(at, at + PAGE)
    if (Buffer.compare(page, zeros.subarray(0, page.length)) !== 0) page.fill(0)
  }
}
