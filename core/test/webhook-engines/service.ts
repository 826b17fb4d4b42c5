import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { WebhookRequest } from '@gatehouse/sdk/webhook'
import { serveHttp } from '../../egress/testing.js'

export interface Asked {
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly request: WebhookRequest
}

export type Answering = (asked: Asked, response: ServerResponse) => void

export interface Service {
  readonly url: string
  /** What it was sent since the last look. */
  taken(): readonly Asked[]
  /** Changes how it answers from now on. */
  answers(answer: Answering): void
  stop(): Promise<void>
}

/** An engine of the test's own, that answers as it is told; `pass` until then. */
export async function startService(): Promise<Service> {
  const asked: Asked[] = []
  let answering: Answering = saying({ verdict: 'pass' })
  const server = await serveHttp(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString()
    const one = { headers: request.headers, text, request: JSON.parse(text) as WebhookRequest }
    asked.push(one)
    answering(one, response)
  })
  return {
    url: `http://127.0.0.1:${server.port}/inspect`,
    taken: () => asked.splice(0),
    answers: (answer) => void (answering = answer),
    stop: server.stop,
  }
}

/** Answers the same to everybody. */
export const saying =
  (answer: unknown, status = 200): Answering =>
  (_asked, response) =>
    void response.writeHead(status).end(typeof answer === 'string' ? answer : JSON.stringify(answer))

/** Answers with another body, made from the one that it was sent. */
export const modifying =
  (change: (body: WebhookRequest['body']) => unknown): Answering =>
  ({ request }, response) =>
    void response.end(JSON.stringify({ verdict: 'modify', modifiedPayload: { body: change(request.body) } }))
