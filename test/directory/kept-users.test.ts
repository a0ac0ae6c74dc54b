import { chmod, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { KeptUsers } from '../../src/directory/kept-users.js'
import { readSmallFile } from '../../src/directory/small-file.js'
import { parseUserFile } from '../../src/directory/user-file.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'

/** More than a file system's clock needs to go on. */
const TICK_MS = 50
/** Long enough for a file to be settled, or for its inode to be out of the kernel's memory. */
const LONG_MS = 3_600_000
const OPTIONS = { limit: 65_536, followLink: false }

let clock = 0

/** A user file that was read and kept, as if long after it was changed last. */
async function plant(text = '{PLAIN}old\n', ageMs = LONG_MS) {
  const folder = await temporaryDirectory()
  const path = join(folder, 'bob')
  await writeFile(path, text, { mode: 0o600 })
  const file = await readSmallFile(path, OPTIONS)
  const kept = new KeptUsers(() => clock)
  const user = { user: parseUserFile(text, path), mode: file.mode, blank: false }
  kept.put(path, user, file, file.changedMs + ageMs)
  await sleep(TICK_MS)
  return { kept, path, folder }
}

const changes: Readonly<Record<string, (path: string, folder: string) => Promise<unknown>>> = {
  'written anew in place, as long as before': (path) => writeFile(path, '{PLAIN}new\n'),
  'replaced by one of the same length': async (path, folder) => {
    await writeFile(join(folder, 'draft'), '{PLAIN}new\n')
    await rename(join(folder, 'draft'), path)
  },
  removed: (path) => rm(path),
  'made readable for others': (path) => chmod(path, 0o644),
  'moved away, with a link in its place': async (path, folder) => {
    await rename(path, join(folder, 'real'))
    await symlink(join(folder, 'real'), path)
  },
  'out of reach with its folder': (_, folder) => rename(folder, `${folder}-away`),
}

describe('a user file that was read', () => {
  it.each([
    ['a moment', 0],
    ['a long time', LONG_MS],
  ])('%s ago is kept as long as it stays as it was', async (_, laterMs) => {
    const { kept, path } = await plant()
    clock += laterMs
    expect(await kept.get(path)).toMatchObject({ user: { password: '{PLAIN}old' }, blank: false })
    expect(await kept.get(`${path}-other`)).toBeNull()
  })

  it.each(Object.keys(changes).flatMap((name) => [[name, 0] as const, [name, LONG_MS] as const]))(
    'and is %s is not taken from memory (%d ms later)',
    async (name, laterMs) => {
      const { kept, path, folder } = await plant()
      await changes[name]!(path, folder)
      clock += laterMs
      expect(await kept.get(path)).toBeNull()
      await rm(`${folder}-away`, { recursive: true, force: true })
    },
  )

  it('just after a change is not kept: another change could look the same', async () => {
    const { kept, path } = await plant('{PLAIN}old\n', 1_000)
    expect(await kept.get(path)).toBeNull()
  })

  it('and is long is not kept', async () => {
    const { kept, path } = await plant(`password = "{PLAIN}old"\n# ${'x'.repeat(5_000)}\n`)
    expect(await kept.get(path)).toBeNull()
  })

  it('longest ago goes first when there are too many', async () => {
    const { kept, path } = await plant()
    const file = await readSmallFile(path, OPTIONS)
    const copy = (await kept.get(path))!
    for (let n = 0; n < 10_000; n++) kept.put(`/nowhere/${n}`, copy, file, file.changedMs + LONG_MS)
    expect(await kept.get(path)).toBeNull()
  })
})
