/** Fills a draft, waiting for the disk: for a thread that has nothing else to do. */
import fs from 'node:fs'
import { WrongSize } from './errors.js'

/** Octets that are copied at a time: few calls, and memory that a processor's cache holds. */
const BLOCK = 256 * 1024

/** Of this thread: made when it is needed, as most threads never do. */
let block: Buffer | null = null

/** Puts all bytes into the file, however few the system takes at a time. @throws the system's error */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let at = 0
  while (at < bytes.length) {
    const written = fs.writeSync(fd, bytes, at, bytes.length - at)
    if (written === 0) throw new Error('the system took no bytes and gave no reason')
    at += written
  }
}

/**
 * Copies the first so many octets of a file, which anybody else may read meanwhile.
 * @param head stands in front of them
 * @throws WrongSize when the file is shorter, or the system's error
 */
export function writeFrom(source: number, octets: number, head: Uint8Array, fd: number): void {
  const room = (block ??= Buffer.allocUnsafeSlow(BLOCK))
  let held = 0
  if (head.length < BLOCK) {
    room.set(head)
    held = head.length
  } else writeAll(fd, head)
  for (let at = 0; at < octets || held > 0;) {
    const got = fillUp(source, at, room.subarray(held, held + octets - at))
    writeAll(fd, room.subarray(0, held + got))
    at += got
    held = 0
  }
}

/** @returns how many octets it read: as many as there is room for */
function fillUp(source: number, from: number, into: Buffer): number {
  for (let at = 0; at < into.length;) {
    const got = fs.readSync(source, into, at, into.length - at, from + at)
    if (got === 0) throw new WrongSize('the content is shorter than it said')
    at += got
  }
  return into.length
}
