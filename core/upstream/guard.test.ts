import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGuard } from './guard.js'

/** The shells of guards that this process started. */
function guards(): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n')
  const fields = rows.map((row) => row.trim().split(/\s+/))
  return fields
    .filter(([, ppid, stat, shell]) => ppid === String(process.pid) && !stat?.startsWith('Z') && shell === '/bin/sh')
    .map(([pid]) => Number(pid))
}

test('a group that is held ends with the pipe, and one that was dropped at once, with all its members', async () => {
  const guard = createGuard(process.env['PATH'])
  const [first, second] = [1, 2].map(() =>
    spawn('sh', ['-c', 'sleep 1000 & sleep 1000'], { detached: true, stdio: 'ignore' }),
  )
  const ends = [once(first!, 'exit'), once(second!, 'exit')]
  await guard.hold(first!.pid!)
  await guard.hold(second!.pid!)
  guard.drop(first!.pid!)
  assert.equal((await ends[0])?.[1], 'SIGKILL')
  assert.is(second!.exitCode, null)
  guard.stop()
  assert.equal((await ends[1])?.[1], 'SIGTERM')
})

test('when the guard itself is killed another one takes over all that it held', async () => {
  const guard = createGuard(process.env['PATH'])
  const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
  const end = once(child, 'exit')
  await guard.hold(child.pid!)
  const [before] = guards()
  process.kill(before!, 'SIGKILL')
  for (;;) {
    const [now] = guards()
    if (now !== undefined && now !== before) break
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  guard.stop()
  assert.equal((await end)[1], 'SIGTERM')
})

test.run()
