/** What a rule is shown, how it is configured, and what is said when it did not run, for whoever runs none in its own thread: it loads no sandbox. */
export { checkConfig, settledConfig } from './config.js'
export { encodeInput, inputOf, showInput } from './input.js'
export { notRun } from './not-run.js'
