/** @typedef {{ line: number, name: string, rest: string }} Instruction */

/**
 * The instructions of a Dockerfile, comments and line ends behind backslashes taken out.
 *
 * @returns {Instruction[]}
 */
export function readDockerfile(text) {
  const instructions = []
  let open
  for (const [index, raw] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(raw)) continue
    const isContinued = raw.endsWith('\\')
    const part = isContinued ? raw.slice(0, -1) : raw
    open = open === undefined ? { line: index + 1, text: part } : { ...open, text: `${open.text} ${part.trim()}` }
    if (isContinued) continue
    const [, name, rest] = /^\s*([A-Z]+)\s+(.*)$/s.exec(open.text) ?? []
    if (name === undefined) throw new Error(`Dockerfile:${open.line}: no instruction: ${open.text}`)
    instructions.push({ line: open.line, name, rest: rest.trim() })
    open = undefined
  }
  return instructions
}

/** The stages in their order; each begins with its `FROM`. */
export function stagesOf(instructions) {
  const stages = []
  for (const instruction of instructions) {
    if (instruction.name !== 'FROM') {
      if (stages.length === 0) throw new Error('the Dockerfile does not begin with FROM')
      stages.at(-1).instructions.push(instruction)
      continue
    }
    const [, image, name] = /^(\S+)(?: +AS +(\S+))?$/i.exec(instruction.rest) ?? []
    if (image === undefined)
      throw new Error(`Dockerfile:${instruction.line}: FROM ${instruction.rest} is not understood`)
    stages.push({ image, name: name ?? String(stages.length), instructions: [] })
  }
  return stages
}

/** `A=1 B=2` as an object; values without quotes and spaces are all that we need. */
export function readEnv(rest) {
  return Object.fromEntries(
    rest.split(/\s+/).map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1 || /["'\\$]/.test(pair)) throw new Error(`ENV ${pair} is not understood`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

/** `--from=build a b to/` */
export function readCopy(rest) {
  const words = rest.split(/\s+/)
  const flags = words.filter((word) => word.startsWith('--'))
  const from = flags.find((flag) => flag.startsWith('--from='))?.slice('--from='.length)
  if (flags.some((flag) => !flag.startsWith('--from='))) throw new Error(`COPY ${flags.join(' ')} is not understood`)
  const paths = words.filter((word) => !word.startsWith('--'))
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) }
}

/** The patterns of `.dockerignore` as a test of paths relative to the context. */
export function readIgnore(text) {
  const patterns = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const tests = patterns.map((pattern) => {
    if (/[!?[\]{}]/.test(pattern)) throw new Error(`.dockerignore: ${pattern} is not understood`)
    const source = pattern
      .replaceAll(/[.+^$()|\\]/g, '\\$&')
      .replaceAll('**/', '\0')
      .replaceAll('*', '[^/]*')
      .replaceAll('\0', '(?:.*/)?')
    return new RegExp(`^${source}(?:/|$)`)
  })
  return (path) => tests.some((test) => test.test(path))
}

/** `${NAME:-default}` and `${NAME:?why}` as compose reads them. */
export function interpolate(text, env) {
  return text.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name, mark, rest) => {
    if (env[name]) return env[name]
    if (mark === '?') throw new Error(`${name} is missing: ${rest}`)
    return rest ?? ''
  })
}
