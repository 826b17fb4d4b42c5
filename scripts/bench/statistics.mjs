export function median(values) {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Of values in ascending order. */
export const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]

/** Half the distance between least and greatest, as a part of the median. */
export const spread = (values) => (Math.max(...values) - Math.min(...values)) / 2 / median(values)

const KEYS = ['group', 'bytes', 'inFlight', 'client', 'server', 'front']
const same = (sample, place) => KEYS.every((key) => sample[key] === place[key])

/** One measure of one front at one load, round by round; what was not measured is left out. */
export function valuesOf(samples, place, key) {
  return samples.filter((sample) => same(sample, place) && !Number.isNaN(sample[key])).map((sample) => sample[key])
}

/**
 * The median of the rounds' own ratios: the fronts of a round are visited within seconds, so a machine that slows down later
 * changes both sides. Null where one of the two was not measured.
 */
export function compare(samples, load, [front, other], key) {
  const values = valuesOf(samples, { ...load, front }, key)
  return ratioOf(values, valuesOf(samples, { ...load, front: other }, key))
}

/** The median of the ratios, round by round. */
export function ratioOf(values, others) {
  return values.length === 0 || values.length !== others.length
    ? null
    : median(values.map((value, n) => value / others[n]))
}
