// CommonJS, for what is required is loaded in half of the time: a thread begins in a hurry.
require('./rule-worker.js')
