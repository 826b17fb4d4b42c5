/** Prose with numbers, times and punctuation, in which none of the five rules finds anything; of exactly `bytes` bytes. */
const PROSE =
  'Order 4711 left the depot at 09:42 with 12 of 15 parcels; the driver (route B-7, van 3) expects delays near the ' +
  'bridge. Please call the customer before 16:00, and note that invoice 2024/118 for 1,249.50 is still open. '

export function payload(bytes) {
  return PROSE.repeat(Math.ceil(bytes / PROSE.length)).slice(0, bytes)
}
