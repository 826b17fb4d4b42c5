import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './install.mjs'

// `npm ci` refuses a lock file that does not name every platform's package of a native dependency, and a registry mirror
// without the packages of other platforms makes `npm install` write such a lock file. This adds the missing entries;
// they are never fetched on the platforms that they are not for. Run it after `npm install` when a test asks for it.

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']

for (const folder of [root, join(root, 'scripts', 'node24')]) {
  const path = join(folder, 'package-lock.json')
  const lock = JSON.parse(readFileSync(path, 'utf8'))
  const missing = missingEntries(lock.packages)
  if (missing.length === 0) continue
  const [workspace, ...rest] = [...Object.entries(lock.packages), ...missing]
  rest.sort(([a], [b]) => a.localeCompare(b, 'en'))
  lock.packages = Object.fromEntries([workspace, ...rest])
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`${path}: added ${missing.map(([name]) => name).join(', ')}`)
}

function missingEntries(packages) {
  const missing = new Map()
  for (const [path, { optionalDependencies = {}, dev, engines }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const place = `node_modules/${name}`
      if (packages[place] ?? packages[`${path}/${place}`]) continue
      missing.set(place, {
        version,
        ...platformOf(name),
        ...(dev && { dev }),
        optional: true,
        ...(engines && { engines }),
      })
    }
  }
  return [...missing]
}

function platformOf(name) {
  const words = name.split(/[-/]/)
  const os = words.filter((word) => systems.includes(word))
  const cpu = words.filter((word) => processors.includes(word))
  if (os.length + cpu.length === 0)
    throw new Error(`${name} does not tell its platform; add it to the lock file by hand`)
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : words.includes('gnu') ? ['glibc'] : []
  return { ...(os[0] && { os }), ...(cpu[0] && { cpu }), ...(os[0] === 'linux' && libc[0] && { libc }) }
}
