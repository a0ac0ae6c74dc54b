import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { serverSecret } from '../../src/service/secret.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'

describe('the secret of a server', () => {
  test('is made once, for the owner only, and stays', async () => {
    const state = await temporaryDirectory()
    const secret = await serverSecret(state)
    expect(secret).toHaveLength(32)
    expect(await serverSecret(state)).toEqual(secret)
    expect(await readdir(state)).toEqual(['secret'])
    expect((await stat(join(state, 'secret'))).mode & 0o777).toBe(0o600)
    expect(await serverSecret(await temporaryDirectory())).not.toEqual(secret)
  })

  test.each(['', 'short\n', `${'g'.repeat(64)}\n`, 'a'.repeat(64)])(
    'is not %j, and what stands there is not replaced',
    async (text) => {
      const state = await temporaryDirectory()
      await writeFile(join(state, 'secret'), text)
      await expect(serverSecret(state)).rejects.toThrow(/secret: not a secret/)
    },
  )
})
