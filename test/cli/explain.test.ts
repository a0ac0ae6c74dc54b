import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { explain } from '../../cli/explain.js'
import { CertificateError } from '../../src/net/certificate.js'
import { runProgram } from '../helpers/programs.js'
import { PROGRAM } from '../helpers/site.js'
import { oneLine, Workplace } from './workplace.js'

const NOBODY = 65_534

describe('a fault that has a name', () => {
  test.each<[string, number, string[], string]>([
    ['a directory', 65, ['user', 'add', 'x', '--password-file', 'Maildir'], 'Maildir: a directory'],
    ['no file', 65, ['user', 'add', 'x', '--password-file', 'nix'], 'nix: no such file'],
    ['a directory', 65, ['hash', '--verify', 'Maildir', '--generate'], 'Maildir: a directory'],
    ['a link', 73, ['user', 'passwd', 'link', '--generate'], '/.users/link: a symbolic link'],
    [
      'a broken file',
      65,
      ['user', 'passwd', 'broken', '--generate'],
      '/.users/broken:2:1: neither',
    ],
    ['no text', 73, ['user', 'passwd', 'latin', '--generate'], '/.users/latin: not UTF-8'],
    ['a file', 73, ['user', 'add', 'file', '--generate'], '/Maildir/file is not a directory'],
    [
      'a directory',
      73,
      ['create', '--force', '-o', 'Maildir', '-d', 'b.org=./b'],
      'Maildir can not',
    ],
    [
      'a directory',
      65,
      ['create', '-o', 'n', '-d', 'b.org=./b', '-A', 'Maildir'],
      'Maildir: a dir',
    ],
  ])('such as %s, ends with %d: %j', async (_what, code, args, words) => {
    const place = await Workplace.withConfig()
    await place.write('Maildir/file', '')
    await place.write('Maildir/.users/broken', 'what = \n')
    await writeFile(place.file('Maildir/.users/latin'), Buffer.from('{PLAIN}\xe4\n', 'latin1'), {
      mode: 0o600,
    })
    await symlink(place.file('Maildir/.users/latin'), place.file('Maildir/.users/link'))
    const outcome = await place.mailtap(args)
    expect([outcome.code, oneLine(outcome)]).toEqual([code, expect.stringContaining(words)])
  })

  test('such as a bad certificate at a reload, is no internal error', () => {
    const { code, lines } = explain(new CertificateError('/x.pem: expired'))
    expect([code, lines]).toEqual([78, ['/x.pem: expired']])
  })
})

describe('a password file', () => {
  test('may be a pipe', async () => {
    const place = await Workplace.make()
    const command = `printf 'pa ss\\n' | '${process.execPath}' '${PROGRAM}' hash -s plain --password-file /dev/stdin`
    const { code, stdout } = await runProgram('/bin/sh', ['-c', command], { home: place.path })
    expect([code, stdout.toString()]).toEqual([0, '{PLAIN}pa ss\n'])
  })
})

test('too few open files are told in one line, before anything is loaded', async () => {
  const place = await Workplace.make()
  const command = `ulimit -n 40; '${process.execPath}' '${PROGRAM}' run`
  const { code, stderr } = await runProgram('/bin/sh', ['-c', command], { home: place.path })
  expect([code, stderr]).toEqual([
    75,
    'mailtap: too many open files; raise the limit (ulimit -n 1024)\n',
  ])
})

test('a state directory that can not be written to is named as such', async ({ skip }) => {
  const place = await Workplace.withConfig()
  const uid = process.getuid?.() === 0 ? NOBODY : undefined
  const rights = uid === undefined ? {} : { uid }
  await chmod(place.path, 0o755)
  await chmod(place.file('mailtap.toml'), 0o644)
  await mkdir(place.file('mailtap-state'), { mode: 0o555 })
  const { code } = await place.mailtap(['--version'], rights).catch(() => ({ code: null }))
  if (code !== 0) return skip('another user cannot read the program here')
  const words = `${place.file('mailtap-state')}: the state directory can not be written to`
  const run = await place.mailtap(['run'], rights)
  expect([run.code, oneLine(run)]).toEqual([77, expect.stringContaining(words)])
  const check = await place.mailtap(['check'], rights)
  expect([check.code, check.err]).toEqual([78, expect.stringContaining(words)])
})
