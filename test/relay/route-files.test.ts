import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import { readAuthorities, readSecret, RouteFiles } from '../../src/relay/route-files.js'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mailtap-route-'))
  const made = directory
  onTestFinished(() => rm(made, { recursive: true, force: true }))
})

async function file(content: string | Buffer, mode = 0o600): Promise<string> {
  const path = join(directory, 'file')
  await writeFile(path, content)
  await chmod(path, mode)
  return path
}

describe('a secret', () => {
  test.each([
    ['open sesame', 'open sesame'],
    ['open sesame\n', 'open sesame'],
    ['open sesame\r\n', 'open sesame'],
    [' pässword ', ' pässword '],
  ])('is the one line of its file: %j', async (content, secret) => {
    expect(await readSecret(await file(content))).toBe(secret)
  })

  test.each([
    ['', 'empty'],
    ['\n', 'empty'],
    ['sesame\nsesame\n', 'more than one line'],
    ['sesame\n\n', 'more than one line'],
    ['sesame\0', 'control characters'],
    [Buffer.from([0xff, 0xfe]), 'not UTF-8'],
    ['sesame'.repeat(10_000), 'longer than 16384 bytes'],
  ])('that is none is told without being shown: %j', async (content, why) => {
    const path = await file(content)
    const error = await readSecret(path).catch((caught: unknown) => caught as Error)
    expect((error as Error).message).toContain(why)
    expect((error as Error).message).toContain(path)
    expect((error as Error).message).not.toContain('sesame')
  })

  test('that everybody can get at is none', async () => {
    await expect(readSecret(await file('x', 0o604))).rejects.toThrow('run: chmod 600')
    expect(await readSecret(await file('x', 0o640))).toBe('x')
  })

  test('is no directory and nothing that is not there', async () => {
    await expect(readSecret(directory)).rejects.toThrow('not a regular file')
    await expect(readSecret(join(directory, 'none'))).rejects.toThrow('cannot be read')
  })

  test('that has changed counts a moment later', async () => {
    const clock = { now: 0 }
    const files = new RouteFiles(() => clock.now)
    const path = await file('one\n')
    expect(await files.secret(path)).toBe('one')
    await file('two\n')
    expect(await files.secret(path)).toBe('one')
    clock.now = 2_000
    expect(await files.secret(path)).toBe('two')
  })
})

test('authorities are certificates in PEM, of which the first is looked at', async () => {
  const pem = await makeSelfSigned('a.org')
  expect(await readAuthorities(await file(pem))).toBe(pem)
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  for (const content of ['', 'text', broken])
    await expect(readAuthorities(await file(content))).rejects.toThrow('no certificate in PEM')
})
