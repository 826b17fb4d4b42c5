import { createServer } from 'node:http'
import { echo } from './answer.mjs'
import { listen } from './listen.mjs'

/** The upstream of every front. */
listen(createServer(echo()))
