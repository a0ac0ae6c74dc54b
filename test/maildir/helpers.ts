/** A Maildir of its own for each test, on a real disk, gone afterwards. */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Content, type Letter, type Listing, read } from '../../maildir/maildir.js'

/** An empty directory that lives as long as the test. */
export function temporaryDirectory(): string {
  const path = fs.mkdtempSync(join(tmpdir(), 'mailtap-'))
  onTestFinished(() => fs.rmSync(path, { recursive: true, force: true }))
  return path
}

/** A Maildir with these files, `new/name` or `cur/name` → content. */
export function maildirWith(files: Readonly<Record<string, string>> = {}): string {
  const path = join(temporaryDirectory(), 'box')
  for (const folder of ['', 'tmp', 'new', 'cur']) fs.mkdirSync(join(path, folder), { mode: 0o700 })
  for (const [place, content] of Object.entries(files)) {
    fs.writeFileSync(join(path, place), content, 'latin1')
  }
  return path
}

export function letter(content: string): Letter {
  const bytes = Buffer.from(content, 'latin1')
  return { size: bytes.length, lines: content.split('\n').length - 1, open: () => [bytes] }
}

export async function textOf(content: Content): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of content) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

/** The content of the message at that position of a listing. */
export async function contentAt(listing: Listing, at: number): Promise<string> {
  return textOf(await read(listing, listing.entries[at]!))
}

export const filesIn = (path: string): string[] => fs.readdirSync(path).toSorted()
