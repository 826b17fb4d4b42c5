/** How fast a reader reads, for whoever fills what it reads from. */
export interface Flow {
  /** More waits for the reader than should: fill no further. */
  readonly full: boolean
  /** Fulfilled when it is not full any more, be it that the reader has gone. Never rejects. */
  drained(): Promise<void>
}
