export { buildJavascript, JAVASCRIPT_INPUT } from './build.js'
export { openJavascript } from './open.js'
