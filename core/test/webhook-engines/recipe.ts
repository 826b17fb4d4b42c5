import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { until } from '../until.js'

export interface Recipe {
  readonly url: string
  /** What it has printed until now. */
  said(): string
  stop(): Promise<void>
}

const FOLDER = new URL('../../../../docs/examples/webhook-engines/', import.meta.url)

/** Starts one of the examples of the documentation as it is, as a process of its own. */
export async function startRecipe(name: string, env: Readonly<Record<string, string>>): Promise<Recipe> {
  const file = fileURLToPath(new URL(`${name}.mjs`, FOLDER))
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [file], { env: { PATH, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()))
  const stop = async () => {
    child.kill()
    await ended
  }
  process.on('exit', () => child.kill())
  const url = await until(`${name} listens`, () => /http:\S+/.exec(said)?.[0] ?? failed(said, child.exitCode)).catch(
    async (error: unknown) => {
      await stop()
      throw error
    },
  )
  return { url, said: () => said, stop }
}

function failed(said: string, code: number | null): undefined {
  if (code !== null) throw new Error(`it ended with ${code}: ${said}`)
}
