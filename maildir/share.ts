/**
 * One more name, in another Maildir, for a message that is safe on the disk. Both Maildirs must
 * belong to whoever owns the file: a file with several names that is somebody else's is served to
 * nobody (see open-entry.ts), neither here nor where it was first.
 */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { fileSizeIn } from './names.js'

/** It cannot be shared; a copy can be made. */
export class NotShared extends Error {
  override readonly name = 'NotShared'
}

/**
 * @param source in `new` of its Maildir, whose owner may have moved, removed or replaced it by now
 * @param name with the size that the message has
 * @throws NotShared or the system's error; nothing is left of the name then
 */
export function shareNow(source: string, maildir: string, name: string): void {
  const path = `${maildir}/new/${name}`
  fs.linkSync(source, path)
  try {
    const stats = fs.lstatSync(path)
    const owners = [ownerOf(dirname(dirname(source))), ownerOf(maildir)]
    const same = stats.isFile() && stats.size === fileSizeIn(name)
    if (same && owners.every((owner) => owner === stats.uid)) return
    throw new NotShared(`${source} cannot have a second name`)
  } catch (error) {
    fs.unlinkSync(path)
    throw error
  }
}

const ownerOf = (path: string): number => fs.lstatSync(path).uid
