/** Conditions joined by `and`; a `?` stands for the next value. */
export class Where {
  readonly values: unknown[] = []
  private readonly parts: string[] = []

  add(condition: string, ...values: unknown[]): void {
    const rest = values.values()
    this.parts.push(condition.replaceAll('?', () => `$${this.values.push(rest.next().value)}`))
  }

  sql(): string {
    return this.parts.length === 0 ? '' : `where ${this.parts.join(' and ')}`
  }
}
