import { logWrite } from './host'
import { encode } from './utf8'

// Lines for whoever runs the gateway. Needs the capability `log`; 16 lines a call, 1 KiB each.

export function debug(text: string): void {
  write(0, text)
}
export function info(text: string): void {
  write(1, text)
}
export function warn(text: string): void {
  write(2, text)
}
export function error(text: string): void {
  write(3, text)
}

function write(level: i32, text: string): void {
  const bytes = encode(text)
  logWrite(level, bytes.at, bytes.length)
}
