// node build.mjs BASE WORK: replays docker/Dockerfile in copies of the root folder BASE, and writes WORK/image.json.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, posix, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readCopy, readDockerfile, readEnv, readIgnore, stagesOf } from './dockerfile.mjs'

const [base, work] = process.argv.slice(2)
const docker = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const context = dirname(docker)
const isIgnored = readIgnore(readFileSync(join(context, '.dockerignore'), 'utf8'))
const roots = new Map()

/** What this machine needs to reach the registry, lent to RUN and kept out of the image. */
const lent = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    /^(HTTPS?_PROXY|NO_PROXY|NODE_EXTRA_CA_CERTS|npm_config_.*)$/i.test(name),
  ),
)

for (const stage of stagesOf(readDockerfile(readFileSync(join(docker, 'Dockerfile'), 'utf8')))) {
  if (!/^node:24(\.\d+)*-slim$/.test(stage.image)) throw new Error(`nothing here stands for the image ${stage.image}`)
  const root = join(work, `stage-${stage.name}`)
  execFileSync('cp', ['-a', base, root])
  execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')])
  execFileSync('mount', ['--rbind', '/dev', join(root, 'dev')])
  roots.set(stage.name, root)
  const image = { root, env: {}, user: 'root', workdir: '/', volumes: [], cmd: null, healthcheck: null }
  for (const instruction of stage.instructions) step(image, instruction)
  writeFileSync(join(work, 'image.json'), JSON.stringify(image, null, 2))
}

function step(image, { line, name, rest }) {
  console.log(`Dockerfile:${line}: ${name} ${rest.length > 100 ? `${rest.slice(0, 100)} …` : rest}`)
  switch (name) {
    case 'ENV':
      return void Object.assign(image.env, readEnv(rest))
    case 'WORKDIR':
      image.workdir = posix.resolve(image.workdir, rest)
      return void mkdirSync(join(image.root, image.workdir), { recursive: true })
    case 'USER':
      return void (image.user = rest)
    case 'VOLUME':
      return void image.volumes.push(rest)
    case 'EXPOSE':
      return
    case 'CMD':
      return void (image.cmd = JSON.parse(rest))
    case 'HEALTHCHECK':
      return void (image.healthcheck = JSON.parse(rest.slice(rest.indexOf('CMD') + 3)))
    case 'COPY':
      return copy(image, readCopy(rest))
    case 'RUN':
      return void execFileSync(
        'chroot',
        [
          `--userspec=${image.user}`,
          image.root,
          '/usr/bin/env',
          '-i',
          ...environment(image),
          'sh',
          '-ec',
          `cd ${image.workdir}\n${rest}`,
        ],
        { stdio: ['ignore', 'inherit', 'inherit'] },
      )
    default:
      throw new Error(`Dockerfile:${line}: ${name} is not understood`)
  }
}

function environment({ env }) {
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  return Object.entries({ PATH: path, HOME: '/root', ...lent, ...env }).map(([name, value]) => `${name}=${value}`)
}

/** As the builder does it: a folder's contents go into the target, a file goes below a target that ends in a slash. */
function copy(image, { from, sources, target }) {
  const origin = from === undefined ? context : roots.get(from)
  if (origin === undefined) throw new Error(`COPY --from=${from}: no such stage`)
  const into = join(image.root, posix.resolve(image.workdir, target))
  for (const source of sources) {
    const path = join(origin, source)
    if (!existsSync(path)) throw new Error(`COPY ${source}: there is no such file`)
    const isFolder = statSync(path).isDirectory()
    const end = isFolder || !(target.endsWith('/') || target === '.') ? into : join(into, basename(source))
    const filter = (file) => from !== undefined || file === context || !isIgnored(relative(context, file))
    cpSync(path, end, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, filter })
  }
}
