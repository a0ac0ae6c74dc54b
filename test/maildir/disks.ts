/** File systems of their own, for what a usual disk does not do. Only root may mount them. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from './helpers.js'

/** What a disk in memory gives out at a time. */
const PAGE = 4_096

/** A disk of 16 pages, in memory. @returns `null` where that is not allowed */
export function smallDisk(): string | null {
  return mounted(['-t', 'tmpfs', '-o', 'size=64k', 'none'])
}

/** A disk that tells times in whole seconds. @returns `null` where there can be none */
export function coarseDisk(): string | null {
  const image = join(temporaryDirectory(), 'image')
  try {
    execFileSync('truncate', ['-s', '4M', image], { stdio: 'ignore' })
    // Inodes of that size have no room for anything finer.
    execFileSync('mkfs.ext4', ['-q', '-I', '128', image], { stdio: 'ignore' })
  } catch {
    return null
  }
  return mounted(['-o', 'loop', image])
}

function mounted(options: readonly string[]): string | null {
  const path = temporaryDirectory()
  try {
    execFileSync('mount', [...options, path], { stdio: 'ignore' })
  } catch {
    return null
  }
  onTestFinished(() => void execFileSync('umount', [path]))
  return path
}

/** An empty Maildir there. */
export function maildirOn(disk: string): string {
  const box = join(disk, 'box')
  for (const part of ['', 'new', 'cur', 'tmp']) fs.mkdirSync(join(box, part), { mode: 0o700 })
  return box
}

/** Leaves so many pages free. */
export function fill(disk: string, free: number): void {
  const path = join(disk, 'filler')
  const filler = fs.openSync(path, 'w')
  let written = 0
  try {
    for (;;) written += fs.writeSync(filler, Buffer.alloc(PAGE))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  } finally {
    fs.closeSync(filler)
  }
  fs.truncateSync(path, written - free * PAGE)
}

/** All that was filled is free again. */
export const empty = (disk: string): void => fs.unlinkSync(join(disk, 'filler'))
