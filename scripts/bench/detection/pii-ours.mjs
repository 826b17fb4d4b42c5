import { settleSpans } from '../../../core/dist/domain/actions.js'
import { ENTITIES, NAMES } from '../../../plugins/detect-pii/dist/entities.js'
import { findNames } from '../../../plugins/detect-pii/dist/names.js'
import { findPatterns, recognizersOf } from '../../../plugins/detect-pii/dist/patterns.js'

export { ENTITIES }
export const search = { recognizers: recognizersOf(new Set(ENTITIES)), threshold: 0.2, context: new Set() }
export const names = new Set(NAMES)

/** The engine `pii` without its worker: the same findings, on this thread. */
export const createOurs = () => ({
  findAll: (texts) => texts.map(({ text }) => [...findPatterns(text, search), ...findNames(text, names)]),
})

/** As core settles findings that overlap. */
export const settle = (findings) => settleSpans(findings)
