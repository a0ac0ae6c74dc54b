/** The checker `dirdbm` on directories as Twisted writes them, and the checker `anonymous`. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dirdbmName } from '../../src/checkers/dirdbm.js'
import {
  checkerContract,
  faultContract,
  usersContract,
  withPassword,
} from '../contracts/checker.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { runProgram, testWith } from '../helpers/programs.js'
import { check } from './stage.js'

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(await temporaryDirectory(), 'passwd')
  await mkdir(folder, { mode: 0o700 })
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o600 })
  }
  return folder
}

const make = async () => check(`dirdbm:${await folderWith({ 'YWxpY2U=_': 'Wonderland ' })}`)

checkerContract('the checker dirdbm', make)
usersContract('the checker dirdbm', make)
faultContract('the checker dirdbm', {
  'is not there': async () => {
    const folder = await folderWith({})
    await rm(folder, { recursive: true })
    return check(`dirdbm:${folder}`)
  },
  'holds no text': async () => {
    const folder = await folderWith({})
    await writeFile(join(folder, 'YWxpY2U=_'), Buffer.from([0xff]), { mode: 0o600 })
    return check(`dirdbm:${folder}`)
  },
})

describe('the name of a file in a DirDBM', () => {
  testWith(['python3'], 'is what Python makes of the key', async () => {
    const keys = ['alice', 'a?>~~~', 'x'.repeat(64), 'y'.repeat(57), 'ü~?']
    const script = `
import base64, json, sys
for key in json.loads(sys.stdin.read()):
    print(base64.encodebytes(key.encode()).replace(b"\\n", b"_").replace(b"/", b"-").decode())`
    const input = JSON.stringify(keys)
    const { stdout } = await runProgram('python3', ['-c', script], { input })
    expect(stdout.toString().trim().split('\n')).toEqual(keys.map(dirdbmName))
  })
})

describe('the checker anonymous', () => {
  it('has nobody in it but nobody', async () => {
    const checker = check('anonymous')
    const { peer } = withPassword('a', 'b')
    expect(await checker.requestAvatarId({ kind: 'anonymous', peer })).toBe('')
    expect(await checker.requestAvatarId(withPassword('a', 'b'))).toBeNull()
    expect(() => check('anonymous:x')).toThrow(/no argument/)
  })
})
