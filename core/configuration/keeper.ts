import { createHash } from 'node:crypto'
import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { asGatehouseError } from '../errors.js'
import type { ReferenceSource } from '../vault/secret-reference.js'
import type { FileOperations } from './apply.js'
import { modulesIn, type ModuleSource } from './module-files.js'
import type { Step } from './plan.js'
import { OPERATOR } from './work.js'

export interface KeeperOptions {
  /** The file that `GATEHOUSE_CONFIG` names. */
  readonly path: string
  readonly files: FileOperations
  /** The operator's own environment and files. */
  readonly source: ReferenceSource
  readonly log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
    error(fields: object, message: string): void
  }
  /** Milliseconds between two looks at the file; watching alone misses changes on some file systems. 2,000. */
  readonly intervalMs?: number
  /** Milliseconds of quiet after a change. 100. */
  readonly quietMs?: number
}

/** Keeps the configuration as the operator's file says. */
export interface Keeper {
  /** Applies the file; throws what is wrong with it. For the start. */
  apply(): Promise<readonly Step[]>
  /** From now on applies every change. A bad file is logged and leaves everything as it is. */
  watch(): void
  stop(): Promise<void>
}

export function createKeeper(options: KeeperOptions): Keeper {
  const { files, log, intervalMs = 2_000, quietMs = 100 } = options
  const path = resolve(options.path)
  const { env, readFile: readSecret } = options.source
  // `${file:PATH}` starts from the file that says it, as it does for the command line.
  const source: ReferenceSource = { env, readFile: (secret) => readSecret(resolve(dirname(path), secret)) }
  const modules = createModuleWatch(dirname(path))
  let seen = ''
  let watcher: FSWatcher | undefined
  let interval: NodeJS.Timeout | undefined
  let quiet: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()

  async function apply(text: string): Promise<readonly Step[]> {
    let warnings: readonly string[] = []
    const onWarnings = (lines: readonly string[]) => (warnings = lines)
    modules.forget()
    const given = { text, name: basename(path), actor: OPERATOR, source, modules: modules.read }
    const request = { ...given, prune: false, onWarnings }
    const steps = await files.apply(request)
    log.info({ file: path, changes: steps.length }, 'configuration file applied')
    for (const warning of warnings) log.warn({ file: path, warning }, 'a rule of the file is hardly meant like that')
    return steps
  }

  async function look(): Promise<void> {
    try {
      const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => unreadable(cause))
      if (text === null) return
      const before = digestOf(text, await modules.mark())
      if (before === seen) return
      // A file that was refused is not tried again before it changes; one that met a database away is.
      await apply(text).catch((error: unknown) => {
        if (asGatehouseError(error).entry.http < 500) seen = digestOf(text, modules.seen())
        throw error
      })
      seen = digestOf(text, modules.seen())
    } catch (error) {
      const { message, detail } = asGatehouseError(error)
      log.error({ file: path, error: message, detail }, 'configuration file not applied; nothing was changed')
    }
  }

  /** Said once: the file may be away for long. */
  function unreadable({ code }: NodeJS.ErrnoException): null {
    if (seen !== `unreadable ${code}`)
      log.error({ file: path, error: code }, 'configuration file cannot be read; nothing was changed')
    seen = `unreadable ${code}`
    return null
  }

  const lookSoon = (): void => {
    clearTimeout(quiet)
    quiet = setTimeout(() => (looking = looking.then(look)), quietMs)
  }

  return {
    async apply() {
      const text = await readFile(path, 'utf8')
      const steps = await apply(text)
      seen = digestOf(text, modules.seen())
      return steps
    },
    watch() {
      // The folder, since editors and orchestrators put a new file in the place of the old one.
      watcher = watch(dirname(path), lookSoon).on('error', () => watcher?.close())
      interval = setInterval(() => (looking = looking.then(look)), intervalMs)
      interval.unref()
    },
    async stop() {
      watcher?.close()
      clearInterval(interval)
      clearTimeout(quiet)
      await looking
    },
  }
}

const digestOf = (text: string, modules: string): string =>
  createHash('sha256').update(text).update('\0').update(modules).digest('hex')

/** The files that the last application asked for, there or not: a change of one is a change of the file. */
function createModuleWatch(folder: string) {
  const asked = new Map<string, string>()
  const open = modulesIn(folder)
  const markOf = async (path: string): Promise<string> => {
    const found = await stat(resolve(folder, path)).catch(() => null)
    return found === null ? '-' : `${found.mtimeMs} ${found.size} ${found.ino}`
  }
  // Looked at before it is read: what is put there meanwhile is found to be new.
  const read: ModuleSource = async (path) => {
    asked.set(path, await markOf(path))
    return open(path)
  }
  return {
    read,
    forget: (): void => asked.clear(),
    /** As they were when they were read. */
    seen: (): string => [...asked.values()].join('\n'),
    /** As they are now. */
    mark: async (): Promise<string> => (await Promise.all([...asked.keys()].map(markOf))).join('\n'),
  }
}
