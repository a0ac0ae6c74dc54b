/**
 * How much mail a Maildir holds, by the rules of Maildir++: what `maildirsize`
 * says if that can be relied on, else what is counted, which then goes there.
 * Waits for the disk.
 */
import fs from 'node:fs'
import { changedSince, countNow } from './count-now.js'
import { errorCode } from './errors.js'
import { FileClock, moment } from './file-clock.js'
import { dropSizes, readSizes, type SizeFile, writeSizes } from './size-file.js'
import { fits, fullness, plus, type Quota, sameQuota, type Usage, WARNED_AT } from './usage.js'

/** How long a Maildir that is full by a fresh count is believed to be so, in milliseconds. */
const BELIEVED_MS = 15 * 60 * 1000
/** How often a Maildir is counted that changes meanwhile. */
const MAX_COUNTS = 3
/** Courier's name for the file that stands while its owner is warned. */
const WARNED = 'quotawarn'

/** A question about one Maildir. */
export interface UsageAsked {
  readonly maildir: string
  readonly quota: Quota
  /** What is to be added: that it would not fit is only believed of a recent count. */
  readonly extra: Usage
}

/** @throws the system's error when it cannot be counted */
export function usageNow({ maildir, quota, extra }: UsageAsked): Usage {
  const sizes = readSizes(maildir)
  const known = sizes !== null && sameQuota(sizes.quota, quota) && believed(sizes, extra)
  const usage = known ? sizes.usage : recount(maildir, quota)
  if (fullness(usage, quota) < WARNED_AT) forgetWarning(maildir)
  return usage
}

/** @returns true once, to one program: from when it became as full as that until it was emptier again */
export function claimWarning(maildir: string): boolean {
  try {
    fs.closeSync(fs.openSync(`${maildir}/${WARNED}`, 'wx', 0o600))
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** The next time counts again. */
export function forgetWarning(maildir: string): void {
  const path = `${maildir}/${WARNED}`
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) fs.unlinkSync(path)
}

function believed({ quota, usage, lines, modified }: SizeFile, extra: Usage): boolean {
  // One from the future is as doubtful as an old one: a clock that was wrong must not refuse mail for years.
  const recent = lines === 1 && Math.abs(Date.now() - modified) < BELIEVED_MS
  return recent || fits(plus(usage, extra), quota)
}

function recount(maildir: string, quota: Quota): Usage {
  const clock = new FileClock(maildir)
  for (let counts = 1; ; counts++) {
    const began = moment()
    const count = countNow(maildir)
    const written = writeSizes(maildir, quota, count.usage)
    if (!written || !changedSince(maildir, count, clock.at(began))) return count.usage
    if (counts < MAX_COUNTS) continue
    // Whoever wants to know next finds a quieter moment.
    dropSizes(maildir)
    return count.usage
  }
}
