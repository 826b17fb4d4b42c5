/** What a rule is shown and how it is configured, for whoever runs none in its own thread: it loads no sandbox. */
export { checkConfig, configDigest, settledConfig } from './config.js'
export { encodeInput, inputOf } from './input.js'
