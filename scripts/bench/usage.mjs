import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'

/** CPU and memory of whole process trees, from Linux' /proc. */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/**
 * Microseconds of user and system time that a process, its descendants and those of them that have ended took so far.
 * What a child took is added to its parent's account when it ends, so nothing is lost and nothing counts twice.
 */
export function cpuOf(root, { except } = {}) {
  const ticks = treeOf(root)
    .filter((process) => process.pid !== except)
    .reduce((sum, process) => sum + process.ticks, 0)
  return (ticks / TICKS_PER_SECOND) * 1e6
}

/** Resident memory of the tree in MiB; pages that processes share count in each of them. */
export function memoryOf(root) {
  return treeOf(root).reduce((sum, { pid }) => sum + residentOf(pid), 0) / 1024
}

function treeOf(root) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(statOf)
  const tree = all.filter(({ pid }) => pid === root)
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid))
  return tree
}

/** See proc_pid_stat(5): the name may hold spaces and brackets, so the fields are counted from behind its last one. */
function statOf(name) {
  try {
    const text = readFileSync(`/proc/${name}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    return [{ pid: Number(name), parent: Number(fields[1]), ticks }]
  } catch {
    // It ended meanwhile.
    return []
  }
}

function residentOf(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
