/** A program of its own on the library's sources, threads included, as they are in this moment. */
import fs from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from './helpers.js'

const LIBRARY = new URL('../../maildir/maildir.ts', import.meta.url).href
const LOADER = new URL('../helpers/typescript-loader.mjs', import.meta.url).href

/**
 * Writes a JavaScript module that may use `Delivery`, `list`, `remove`, and
 * `letter(text)` and `streamed(text)`: the same letter in memory, or not.
 * @returns Node's arguments to run it
 */
export function program(script: string): string[] {
  const path = join(temporaryDirectory(), 'program.mjs')
  fs.writeFileSync(
    path,
    `import { Delivery, list, remove } from ${JSON.stringify(LIBRARY)}
    const of = (text, open) => ({ size: text.length, lines: text.split('\\n').length - 1, open })
    const letter = (text) => of(text, () => [Buffer.from(text)])
    const streamed = (text) => of(text, async function* () { yield Buffer.from(text) })
    ${script}`,
  )
  return ['--import', LOADER, path]
}
