import { openChecked } from '@gatehouse/rule-sandbox/open'
import type { OpenRule } from '@gatehouse/rule-sandbox'
import { serveTexts } from '@gatehouse/sdk/workers/thread'
import type { Held } from './protocol.js'
import { readTask, sendAnswer } from './protocol.js'
import { runChain } from './run-chain.js'

const rules = new Map<number, OpenRule>()

function close(key: number): void {
  rules.get(key)?.close()
  rules.delete(key)
}

serveTexts<Held>({
  run: async (task, at) => sendAnswer(await runChain(readTask(task), { rules, at })),
  async hold(key, { module, config }) {
    const opened = await openChecked(module, config)
    close(key)
    rules.set(key, opened)
  },
  drop: close,
})
