import { spawnSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { changeConfig } from '../../cli/config-lock.js'
import { Workplace } from './workplace.js'

/** Of a process that has ended. */
function deadClaim(): string {
  const { pid } = spawnSync(process.execPath, ['--version'])
  return `${pid} 1 00000000-0000-0000-0000-000000000000 0123456789abcdef\n`
}

describe('changing a config', () => {
  test('is done by one process after the other, so that no domain gets lost', async () => {
    const place = await Workplace.withConfig()
    const names = ['a.org', 'b.org', 'c.org', 'd.org', 'e.org', 'f.org']
    const outcomes = await Promise.all(
      names.map((name) => place.mailtap(['create', '--append', '-d', `${name}=./${name}`])),
    )
    expect(outcomes.map(({ code }) => code)).toEqual(names.map(() => 0))
    const { out } = await place.mailtap(['domain', 'list', '--json'])
    const listed = (JSON.parse(out) as { name: string }[]).map(({ name }) => name)
    expect(listed.toSorted()).toEqual(['example.com', ...names].toSorted())
    const hidden = (await readdir(place.path)).filter((name) => name.startsWith('.'))
    expect(hidden).toEqual([])
  })

  test('is never done by two at once, and all get their turn', async () => {
    const place = await Workplace.make()
    await place.write('.m.toml.lock', deadClaim())
    let inside = 0
    let most = 0
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => void setImmediate(resolve))
      inside--
    }
    const all = Array.from({ length: 8 }, () => changeConfig(place.file('m.toml'), work))
    await Promise.all(all)
    expect(most).toBe(1)
    expect(await readdir(place.path)).toEqual([])
  })

  test('waits no longer than it may, and says what to do', async () => {
    const place = await Workplace.make()
    const file = place.file('m.toml')
    await changeConfig(file, async () => {
      const second = changeConfig(file, async () => 'done', 0)
      await expect(second).rejects.toMatchObject({
        code: 75,
        message: expect.stringContaining(`remove ${place.file('.m.toml.lock')}`) as string,
      })
    })
    expect(await changeConfig(file, async () => 'done', 0)).toBe('done')
  })

  test('gives the lock back when the work fails', async () => {
    const place = await Workplace.make()
    const work = (): Promise<never> => Promise.reject(new Error('no'))
    await expect(changeConfig(place.file('m.toml'), work)).rejects.toThrow('no')
    expect(await readdir(place.path)).toEqual([])
  })

  test('leaves alone what is no lock of this program', async () => {
    const place = await Workplace.make()
    await place.write('.m.toml.lock', 'vim\n')
    const work = changeConfig(place.file('m.toml'), async () => 'done', 0)
    await expect(work).rejects.toMatchObject({ code: 75 })
    expect(await place.read('.m.toml.lock')).toBe('vim\n')
  })
})
