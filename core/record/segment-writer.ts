import { close, closeSync, fdatasync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { segmentPath } from './segments.js'
import type { Position } from './segments.js'

export interface Disk {
  write(fd: number, buffer: Buffer, offset: number, length: number, position: number): number
  sync(fd: number): Promise<void>
}

const realDisk: Disk = { write: writeSync, sync: promisify(fdatasync) }

/** Appends to numbered files and begins a new one when one is full. */
export class SegmentWriter {
  private readonly disk: Disk
  private fd: number
  private offset = 0
  private next: number
  private retired: Promise<void> = Promise.resolve()
  private damaged = false

  constructor(
    private readonly dir: string,
    private number: number,
    private readonly segmentBytes: number,
    disk: Partial<Disk> = {},
  ) {
    this.disk = { ...realDisk, ...disk }
    this.next = number
    this.fd = this.open()
  }

  position(): Position {
    return { segment: this.number, offset: this.offset }
  }

  /** All of the bytes or none: when it throws, the file ends where it ended before. */
  append(bytes: Buffer, length: number): void {
    if (this.damaged || this.offset >= this.segmentBytes) this.roll()
    let done = 0
    try {
      while (done < length) done += this.disk.write(this.fd, bytes, done, length - done, this.offset + done)
    } catch (error) {
      if (done > 0) this.cut()
      throw error
    }
    this.offset += length
  }

  /** Resolves when everything appended so far is on the disk. After a failure the next bytes go to a new file. */
  async sync(): Promise<void> {
    try {
      await Promise.all([this.retired, this.disk.sync(this.fd)])
    } catch (error) {
      this.damaged = true
      this.retired = Promise.resolve()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.retired.catch(() => undefined)
    closeSync(this.fd)
  }

  private cut(): void {
    try {
      ftruncateSync(this.fd, this.offset)
    } catch {
      this.damaged = true
    }
  }

  private roll(): void {
    const old = this.fd
    this.fd = this.open()
    this.number = this.next - 1
    this.offset = 0
    this.damaged = false
    const synced = this.disk.sync(old).finally(() => close(old, ignore))
    this.retired = Promise.all([this.retired, synced]).then(ignore)
    this.retired.catch(ignore)
  }

  /** The folder is synced too: after a power cut a file that nothing names is lost with all that is in it. */
  private open(): number {
    const fd = openSync(segmentPath(this.dir, this.next++), 'wx', 0o600)
    const folder = openSync(this.dir, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
    return fd
  }
}

function ignore(): void {}
