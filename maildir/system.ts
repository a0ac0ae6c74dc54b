/**
 * The few system calls of this library as promises, on bare descriptors: a
 * FileHandle and its options cost more than the call on a delivery's path.
 * What may wait for a disk runs on the thread pool. What only touches what
 * the kernel has in memory by then (close after fsync or read, lstat of a
 * directory just walked through) is called synchronously where it stands.
 */
import fs from 'node:fs'
import { errorCode } from './errors.js'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants

/** A path; as bytes when a file's name is not ASCII. */
export type Path = string | Buffer

/** Opens a file that must not exist yet, for its owner alone. */
export function openFresh(path: Path): Promise<number> {
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
}

/** Opens for reading, never through a link, never waiting for a FIFO's other end. */
export function openForReading(path: Path): Promise<number> {
  return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)
}

function openDirectory(path: string, links: 'follow' | 'refuse'): Promise<number> {
  return open(path, O_RDONLY | O_DIRECTORY | (links === 'refuse' ? O_NOFOLLOW : 0), 0)
}

/** Puts all bytes into the file, however few the system takes at a time. */
export async function writeAll(fd: number, bytes: Buffer): Promise<void> {
  let at = 0
  while (at < bytes.length) {
    const written = await writeSome(fd, bytes, at)
    if (written === 0) throw new Error('the system took no bytes and gave no reason')
    at += written
  }
}

/** Reads up to the end of the buffer or of the file. @returns how many octets, 0 at the end */
export async function readFull(fd: number, into: Buffer): Promise<number> {
  let at = 0
  while (at < into.length) {
    const got = await readSome(fd, into, at)
    if (got === 0) break
    at += got
  }
  return at
}

/**
 * Makes the names in a directory durable. A file system that cannot do that
 * says EINVAL and does it by itself; every other error counts.
 */
export async function syncDirectory(
  path: string,
  links: 'follow' | 'refuse' = 'refuse',
): Promise<void> {
  const fd = await openDirectory(path, links)
  try {
    await syncFile(fd)
  } catch (error) {
    if (errorCode(error) !== 'EINVAL') throw error
  } finally {
    fs.closeSync(fd)
  }
}

export function syncFile(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(fd, (error) => (error ? reject(error) : resolve()))
  })
}

export function link(from: Path, to: Path): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.link(from, to, (error) => (error ? reject(error) : resolve()))
  })
}

export function unlink(path: Path): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.unlink(path, (error) => (error ? reject(error) : resolve()))
  })
}

/** The names in a directory, a character per byte (latin1): names need not be UTF-8. */
export function namesIn(path: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    fs.readdir(path, 'latin1', (error, names) => (error ? reject(error) : resolve(names)))
  })
}

function open(path: Path, flags: number, mode: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, mode, (error, fd) => (error ? reject(error) : resolve(fd)))
  })
}

function writeSome(fd: number, bytes: Buffer, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(fd, bytes, at, bytes.length - at, null, (error, n) =>
      error ? reject(error) : resolve(n),
    )
  })
}

function readSome(fd: number, into: Buffer, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, into, at, into.length - at, null, (error, n) =>
      error ? reject(error) : resolve(n),
    )
  })
}
