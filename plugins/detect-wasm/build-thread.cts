import priority = require('@gatehouse/sdk/priority')

// As in `rule-thread.cts`.
priority.lowerPriority()
require('./build-worker.js')
