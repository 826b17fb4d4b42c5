import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createListen, type ListenEvents } from './listen.js'
import type { ListKind } from './options.js'

interface Opened {
  readonly filter: JsonObject
  readonly told: ListenEvents
  isOpen: boolean
}

/** A server whose streams the test acknowledges, by hand unless `answers` does. */
function bench({ lists = ['tools'] as readonly ListKind[], answers = true, shrink = 60_000 } = {}) {
  const streams: Opened[] = []
  const listen = createListen({
    lists,
    timing: { acknowledge: 60_000, shrink },
    open(filter, told) {
      const stream = { filter, told, isOpen: true }
      streams.push(stream)
      if (answers) told.acknowledged(new Set(filter['resourceSubscriptions'] as readonly string[] | undefined))
      return () => void (stream.isOpen = false)
    },
  })
  const open = () => streams.filter(({ isOpen }) => isOpen).map(({ filter }) => filter)
  return { streams, listen, open }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))
const LISTS = { toolsListChanged: true }
const withUris = (...uris: string[]) => ({ ...LISTS, resourceSubscriptions: uris })

test('changes of lists are listened to from the start', async () => {
  const { listen, open } = bench()
  await listen.settled
  assert.equal(open(), [LISTS])
})

test('a server without such lists is listened to once there is a resource to hear of', async () => {
  const { listen, open } = bench({ lists: [] })
  await listen.settled
  assert.equal(open(), [])
  assert.equal([...(await listen.listen(new Set(['a:1'])))], ['a:1'])
  assert.equal(open(), [{ resourceSubscriptions: ['a:1'] }])
})

test('the old stream is closed when the new one is acknowledged, and not before', async () => {
  const { listen, streams, open } = bench({ answers: false })
  streams[0]?.told.acknowledged(new Set())
  const granted = listen.listen(new Set(['a:1']))
  await turn()
  assert.equal(open(), [LISTS, withUris('a:1')])
  streams[1]?.told.acknowledged(new Set(['a:1']))
  assert.equal([...(await granted)], ['a:1'])
  assert.equal(open(), [withUris('a:1')])
})

test('what is wanted while a stream is being opened is asked for with the next one', async () => {
  const { listen, streams, open } = bench({ answers: false })
  streams[0]?.told.acknowledged(new Set())
  await listen.settled
  const all = ['a:1', 'a:2', 'a:3']
  const first = listen.listen(new Set(all.slice(0, 1)))
  const others = [2, 3].map((n) => listen.listen(new Set(all.slice(0, n))))
  for (let n = 1; n < 3; n++) {
    while (streams.length <= n) await turn()
    streams[n]?.told.acknowledged(new Set(all))
  }
  await Promise.all([first, ...others])
  assert.is(streams.length, 3, 'one for the first, one for the two that came meanwhile')
  assert.equal(open(), [withUris(...all)])
})

test('what the server does not grant is told', async () => {
  const { listen, streams } = bench({ answers: false })
  streams[0]?.told.acknowledged(new Set())
  const granted = listen.listen(new Set(['a:1', 'a:2']))
  await turn()
  streams[1]?.told.acknowledged(new Set(['a:2']))
  assert.equal([...(await granted)], ['a:2'])
})

test('a server that refuses to tell more goes on telling what it told', async () => {
  const { listen, streams, open } = bench({ answers: false })
  streams[0]?.told.acknowledged(new Set())
  const granted = listen.listen(new Set(['a:1']))
  await turn()
  streams[1]?.told.lost(false)
  assert.equal([...(await granted)], [])
  assert.equal(open(), [LISTS])
})

test('it shrinks after a while, to what is wanted then', async () => {
  const { listen, open } = bench({ shrink: 20 })
  await listen.listen(new Set(['a:1', 'a:2']))
  await listen.listen(new Set(['a:2']))
  assert.equal(open(), [withUris('a:1', 'a:2')], 'not at once')
  await listen.listen(new Set(['a:1', 'a:2']))
  await listen.listen(new Set())
  while (open().length !== 1 || open()[0]?.['resourceSubscriptions'] !== undefined) await turn()
  assert.equal(open(), [LISTS])
})

test('nothing is listened to when nothing is wanted', async () => {
  const { listen, open } = bench({ lists: [], shrink: 20 })
  await listen.listen(new Set(['a:1']))
  await listen.listen(new Set())
  while (open().length > 0) await turn()
  assert.equal(open(), [])
})

test('a stream that was lost for good is opened anew when it is asked for the next time', async () => {
  const { listen, streams, open } = bench()
  await listen.listen(new Set(['a:1']))
  streams.at(-1)?.told.lost(false)
  await listen.listen(new Set(['a:1']))
  assert.is(streams.length, 3)
  assert.equal(open(), [withUris('a:1')])
})

test('after the end nothing is opened', async () => {
  const { listen, open } = bench()
  await listen.settled
  listen.stop()
  await listen.listen(new Set(['a:1']))
  assert.equal(open(), [])
})

test.run()
