import priority = require('@gatehouse/sdk/priority')

// CommonJS, for what is required is loaded in the half of the time, and only once what stands above is done.
priority.lowerPriority()
require('./rule-worker.js')
