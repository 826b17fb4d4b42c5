/** A process that appends to the log in argv[2] for ever and tells on stdout what was acknowledged. Ended by SIGKILL. */
import { writeSync } from 'node:fs'
import { createRecorder } from './log.js'
import { messageRecord } from './record.fixture.js'

const log = await createRecorder({
  dir: process.argv[2] ?? '',
  mode: () => (process.argv[3] === 'strict' ? 'strict' : 'fast'),
  segmentBytes: 100_000,
  onOverflow: () => undefined,
})
for (;;) {
  const records = Array.from({ length: 8 }, () => messageRecord())
  await Promise.all(records.map((record) => log.append(record).then(() => writeSync(1, `${record.id}\n`))))
}
