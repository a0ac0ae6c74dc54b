/** Puts what is no mail out of the maildrop into `corrupt/`, for a person to look at; not more of it than there is room for. */
import { mkdir, opendir, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from './disk-failure.js'

/** Any user of the machine can make such files: more of them than this are removed. */
const MAX_ASIDE = 1_000

/**
 * @param spool the spool's directory
 * @param directory the maildrop
 * @returns where it is now; `null` = it is gone
 * @throws what the disk says
 */
export async function dropAside(
  spool: string,
  directory: string,
  name: string,
): Promise<string | null> {
  const corrupt = join(spool, 'corrupt')
  const from = join(directory, name)
  await mkdir(corrupt, { recursive: true, mode: 0o700 })
  const place = (await isFull(corrupt)) ? null : join(corrupt, `maildrop-${name}`)
  try {
    await (place === null ? unlink(from) : rename(from, place))
    return place
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

async function isFull(directory: string): Promise<boolean> {
  let names = 0
  for await (const _ of await opendir(directory)) if (++names >= MAX_ASIDE) return true
  return false
}
