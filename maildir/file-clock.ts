/**
 * What time it is for the file system of a Maildir. A file server has a clock
 * of its own; that one sets the times of its directories, so only it can tell
 * how old they are. Waits for the disk.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { requireDirectory } from './directories.js'

const NAME = 'mailtap-clock'
/** A clock that is being put right runs too fast or too slow, but by less than an eighth. */
const DRIFT = 8n
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants

/** What the clock said when. */
interface Reading {
  readonly said: bigint
  readonly at: bigint
}

/** This moment, in nanoseconds since some other one. No clock that is put right or wrong changes it. */
export const moment = (): bigint => process.hrtime.bigint()

/** Looks at the clock when first asked, and reckons from then on. */
export class FileClock {
  readonly #maildir: string
  #reading: Reading | null | undefined

  constructor(maildir: string) {
    this.#maildir = maildir
  }

  /**
   * What time it was at that moment, or will be, in nanoseconds since 1970:
   * never later than it was, perhaps a little earlier.
   * @param then as `moment` gave it
   * @returns `null` when nothing can be made in `tmp`, or that is no directory
   */
  at(then: bigint): bigint | null {
    if (this.#reading === undefined) this.#reading = read(this.#maildir)
    if (this.#reading === null) return null
    const since = then - this.#reading.at
    return this.#reading.said + since - (since < 0n ? -since : since) / DRIFT
  }
}

/** The clock has no hands: a file has to be made to see what time it gets. */
function read(maildir: string): Reading | null {
  const path = `${maildir}/tmp/${NAME}.${process.pid}.${randomBytes(8).toString('hex')}`
  try {
    requireDirectory(`${maildir}/tmp`)
    return { said: timeOfNew(path), at: moment() }
  } catch {
    return null
  }
}

function timeOfNew(path: string): bigint {
  const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    const { mtimeNs, ctimeNs } = fs.fstatSync(fd, { bigint: true })
    return mtimeNs < ctimeNs ? mtimeNs : ctimeNs
  } finally {
    fs.closeSync(fd)
    fs.unlinkSync(path)
  }
}
