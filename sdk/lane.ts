/** A task that is nothing but texts. */
export type Texts = readonly string[]

/** The texts of a task, where they lie: to be read before it is answered. */
export interface Parcel {
  text(index: number): string
  /** In UTF-8. */
  bytes(index: number): Uint8Array
}

/**
 * Memory that a thread shares with whoever gives it tasks. Short texts go there and back through it, without a message: no system
 * call, no copy of objects, nothing to wake up, as long as both are awake to look. Each of its places holds a task and then its answer; a task in it is
 * taken by one side, the thread or whoever put it there and wants it back.
 *
 * Ids count from 1, one after the other, for one thread; `MOST_IN_LANE` at most are under way.
 */
export interface Lane {
  /** One that is short. */
  put(id: number, texts: Texts): void
  /** Whether the task is the caller's from now on. */
  take(id: number): boolean
  read(id: number): Parcel
  /** False when it is too long. */
  answer(id: number, text: string): boolean
  /** Null while there is none. */
  answerTo(id: number): string | null
}

export const MOST_IN_LANE = 4
/** Begins anew before it is too large for a word, where the places do, too. */
export const following = (id: number): number => (id % (0x7fff_ffff - (0x7fff_ffff % MOST_IN_LANE))) + 1
const TASK_BYTES = 65_536
const ANSWER_BYTES = 16_384
const PLACE_BYTES = TASK_BYTES + ANSWER_BYTES
/** Of each place: the id of the task that may be taken, of the one that is answered, the length of the answer. */
const WORDS = 3
const HEAD_BYTES = 4 * WORDS * MOST_IN_LANE
export const LANE_BYTES = HEAD_BYTES + PLACE_BYTES * MOST_IN_LANE

/** Before the texts of a task: how many, and the length of each. */
const MOST_TEXTS = 8
const LENGTHS_BYTES = 4 * (MOST_TEXTS + 1)

export function openLane(shared: SharedArrayBuffer): Lane {
  const words = new Int32Array(shared, 0, WORDS * MOST_IN_LANE)
  const places = Array.from({ length: MOST_IN_LANE }, (_, at) => {
    const start = HEAD_BYTES + at * PLACE_BYTES
    return {
      lengths: new Int32Array(shared, start, MOST_TEXTS + 1),
      task: Buffer.from(shared, start + LENGTHS_BYTES, TASK_BYTES - LENGTHS_BYTES),
      answer: Buffer.from(shared, start + TASK_BYTES, ANSWER_BYTES),
      offered: at * WORDS,
      answered: at * WORDS + 1,
      answerBytes: at * WORDS + 2,
    }
  })
  type Spot = (typeof places)[number]
  const placeOf = (id: number) => places[id % MOST_IN_LANE] as Spot

  return {
    put(id, texts) {
      const { task, lengths, offered } = placeOf(id)
      let from = 0
      lengths[0] = texts.length
      for (const [at, text] of texts.entries()) {
        const length = task.write(text, from)
        lengths[at + 1] = length
        from += length
      }
      Atomics.store(words, offered, id)
    },
    take(id) {
      const { offered } = placeOf(id)
      return Atomics.compareExchange(words, offered, id, 0) === id
    },
    read(id) {
      const { task, lengths } = placeOf(id)
      const range = (index: number): readonly [number, number] => {
        let from = 0
        for (let at = 0; at < index; at += 1) from += lengths[at + 1] ?? 0
        return [from, from + (lengths[index + 1] ?? 0)]
      }
      return {
        text: (index) => task.toString('utf8', ...range(index)),
        // A copy: what is shared would be no memory of the thread's own.
        bytes: (index) => new Uint8Array(task.subarray(...range(index))),
      }
    },
    answer(id, text) {
      const { answer, answered, answerBytes } = placeOf(id)
      if (text.length * LONGEST_SIGN > answer.length) return false
      words[answerBytes] = answer.write(text)
      Atomics.store(words, answered, id)
      return true
    },
    answerTo(id) {
      const { answer, answered, answerBytes } = placeOf(id)
      return Atomics.load(words, answered) === id ? answer.toString('utf8', 0, words[answerBytes]) : null
    },
  }
}

/** Bytes of a UTF-16 unit in UTF-8, at most. */
const LONGEST_SIGN = 3

/** Whether a task can go this way. */
export function isShort(texts: Texts): boolean {
  if (texts.length > MOST_TEXTS) return false
  let left = TASK_BYTES - LENGTHS_BYTES
  for (const { length } of texts) left -= length * LONGEST_SIGN
  return left >= 0
}

/** The same of texts that came another way. */
export const parcelOf = (texts: Texts): Parcel => ({
  text: (index) => texts[index] ?? '',
  bytes: (index) => Buffer.from(texts[index] ?? ''),
})
