import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeChildEnv } from './child-env.js'

test('a child sees what any program needs and its own, and nothing else of ours', () => {
  const base = {
    PATH: '/bin',
    HOME: '/root',
    LANG: 'C',
    LC_ALL: 'C',
    TMPDIR: '/tmp',
    TERM: 'xterm',
    USER: 'me',
    TZ: 'UTC',
    DATABASE_URL: 'postgres://secret',
    GATEHOUSE_MASTER_KEY: 'secret',
    GATEHOUSE_TOKEN: 'secret',
    GATEHOUSE_: 'secret',
    AWS_SECRET_ACCESS_KEY: 'secret',
    HTTPS_PROXY: 'http://user:secret@proxy',
    NODE_OPTIONS: '--require secret',
    LD_PRELOAD: 'secret',
    LC_: undefined,
    path: 'secret',
  }
  const env = makeChildEnv(base, { API_KEY: 'of the server', TERM: 'dumb' })
  assert.not.match(JSON.stringify(env), 'secret')
  assert.equal(env, {
    PATH: '/bin',
    HOME: '/root',
    LANG: 'C',
    LC_ALL: 'C',
    TMPDIR: '/tmp',
    TERM: 'dumb',
    USER: 'me',
    TZ: 'UTC',
    API_KEY: 'of the server',
  })
})

test.run()
