import priority = require('@gatehouse/sdk/priority')

// Nobody's call waits for it. CommonJS, so that what is loaded below is loaded once what stands here is done.
priority.lowerPriority()
require('./build-worker.js')
