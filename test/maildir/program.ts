/** A program of its own on the library's sources, threads included, as they are in this moment. */
import fs from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from './helpers.js'

const LIBRARY = new URL('../../maildir/maildir.ts', import.meta.url).href
const LOADER = new URL('../helpers/typescript-loader.mjs', import.meta.url).href

/**
 * Writes a JavaScript module that may use `Delivery`, `list`, `remove`, and
 * `letter(text)`, `streamed(text)` and `filed(text)`: the same letter in memory, not there, or in an open file.
 * @returns Node's arguments to run it
 */
export function program(script: string): string[] {
  const path = join(temporaryDirectory(), 'program.mjs')
  fs.writeFileSync(
    path,
    `import * as system from 'node:fs'
    import { Delivery, list, remove } from ${JSON.stringify(LIBRARY)}
    const of = (text, open) => ({ size: text.length, lines: text.split('\\n').length - 1, open })
    const letter = (text) => of(text, () => [Buffer.from(text)])
    const filed = (text) => {
      const path = ${JSON.stringify(join(temporaryDirectory(), 'filed'))} + Math.random()
      system.writeFileSync(path, text.slice(2))
      const fd = system.openSync(path)
      const lent = { head: Buffer.from(text.slice(0, 2)), use: (work) => work(fd) }
      return { ...of(text, () => { throw new Error('nobody reads it here') }), filed: lent }
    }
    const streamed = (text) => of(text, async function* () { yield Buffer.from(text) })
    ${script}`,
  )
  return ['--import', LOADER, path]
}
