import type { Io } from './io.js'
import type { Replay } from './replay-report.js'

export interface ShownProgress {
  show(replay: Pick<Replay, 'state' | 'progress'>): void
  end(): void
}

const BAR = 24
/** Where there is no terminal, a line is written when so much more of it is done. */
const STEP = 0.1

/** A bar that repaints itself on a terminal; elsewhere a line now and then. Goes beside the result, not into it. */
export function createProgress(io: Pick<Io, 'err' | 'width'>): ShownProgress {
  let last = ''
  let step = -1
  const paint = (text: string) => {
    if (text === last) return
    last = text
    io.err(`\r${text.slice(0, Math.max(0, (io.width ?? 80) - 1))}\u001b[K`)
  }
  const write = ({ read, total }: Replay['progress']) => {
    const reached = total === null || total === 0 ? 0 : Math.floor(read / total / STEP)
    if (total === null || reached <= step) return
    step = reached
    io.err(`${read} of ${total} messages read\n`)
  }
  return {
    show({ state, progress }) {
      if (io.width === undefined) return write(progress)
      paint(state === 'queued' ? 'Waiting for another backtest to end…' : bar(progress))
    },
    end() {
      if (last !== '') io.err('\r\u001b[K')
      last = ''
    },
  }
}

function bar({ read, total }: Replay['progress']): string {
  if (total === null) return 'Counting messages…'
  const part = total === 0 ? 1 : Math.min(1, read / total)
  const full = Math.round(part * BAR)
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}] ${Math.floor(part * 100)} %  ${read} of ${total} messages`
}
