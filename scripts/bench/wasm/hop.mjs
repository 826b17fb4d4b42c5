import { Worker } from 'node:worker_threads'

const ECHO = `const { parentPort } = require('node:worker_threads')
parentPort.on('message', ({ text }) => parentPort.postMessage(text))`

/** A thread that sends back the text it is sent beside a buffer, and does nothing else: what no rule in a thread can do without. */
export function openHop(closing) {
  const worker = new Worker(ECHO, { eval: true })
  closing.push(() => worker.terminate())
  return (bytes) =>
    new Promise((resolve) => {
      const buffer = new ArrayBuffer(bytes)
      worker.once('message', resolve)
      worker.postMessage({ text: '{"links":[{"key":1}]}', buffer }, [buffer])
    })
}
