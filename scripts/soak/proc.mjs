import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What Linux' /proc tells of processes and their sockets; see proc(5). */
const ESTABLISHED = '01'

/** The TCP connections that a process holds, by its own port and the other side's; both directions, any state but listening. */
export function connectionsOf(pid) {
  const inodes = new Set(
    entries(`/proc/${pid}/fd`).flatMap((fd) => {
      const found = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))
      return found === null ? [] : [found[1]]
    }),
  )
  return ['tcp', 'tcp6'].flatMap((table) =>
    text(`/proc/${pid}/net/${table}`)
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/)
        if (inode === undefined || !inodes.has(inode) || state === '0A') return []
        return [{ local: portOf(local), remote: portOf(remote), isOpen: state === ESTABLISHED }]
      }),
  )
}

/** The processes below one, and theirs: their ids and what they are. */
export function descendantsOf(root) {
  const all = entries('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const stat = text(`/proc/${pid}/stat`)
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return stat === '' || state === 'Z' ? [] : [{ pid: Number(pid), parent: Number(parent) }]
    })
  const tree = all.filter(({ parent }) => parent === root)
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid))
  return tree.map(({ pid }) => ({ pid, command: text(`/proc/${pid}/cmdline`).split('\0').filter(Boolean).join(' ') }))
}

/** Processes in whose command line a word stands, wherever they hang now. */
export function processesWith(word) {
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => text(`/proc/${pid}/cmdline`).includes(word))
    .map(Number)
}

const portOf = (address) => Number.parseInt(address.split(':')[1], 16)

function entries(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function text(path) {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function link(path) {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
