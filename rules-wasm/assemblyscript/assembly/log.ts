import { logWrite } from './host'
import { encode } from './utf8'

/**
 * Lines for whoever runs the gateway. Needs the capability `log`; 16 lines a call, 1 KiB each.
 */
export abstract class Log {
  static debug(text: string): void {
    Log.write(0, text)
  }
  static info(text: string): void {
    Log.write(1, text)
  }
  static warn(text: string): void {
    Log.write(2, text)
  }
  static error(text: string): void {
    Log.write(3, text)
  }

  private static write(level: i32, text: string): void {
    const bytes = encode(text)
    logWrite(level, bytes.at, bytes.length)
  }
}
