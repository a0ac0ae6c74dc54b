/** Which version of the program this is: what package.json says, which lies beside it in every installation. */
import { readFileSync } from 'node:fs'

/** From `src` and from `dist/src`. */
const PLACES = ['../package.json', '../../package.json']

function read(): string {
  for (const place of PLACES) {
    try {
      const text = readFileSync(new URL(place, import.meta.url), 'utf8')
      return String((JSON.parse(text) as { version?: unknown }).version)
    } catch {
      // It is in the other one.
    }
  }
  return 'unknown'
}

export const VERSION = read()
