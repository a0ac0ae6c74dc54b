import { execFileSync } from 'node:child_process'
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readFile,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { lockMbox } from '../../src/courier/mbox-lock.js'
import { fromBuffer } from '../../src/mail/message.js'
import { BODY, courierWorld, isRoot, OWNER } from '../helpers/courier-world.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { inHome, runProgram, testWith } from '../helpers/programs.js'

const ALIASES = 'box: HERE/mbox\nboth: alice, HERE/mbox\n'

/** One message as it stands in the file, without its date. */
const entry = (of: string, body = BODY): string =>
  `From joe@far.example DATE\nReturn-Path: <joe@far.example>\nDelivered-To: ${of}@example.com\n${body}\n`

async function world(aliases = ALIASES) {
  const made = await courierWorld(aliases)
  const mbox = join(made.here, 'mbox')
  const read = async (): Promise<string> =>
    (await readFile(mbox, 'latin1')).replace(/^(From \S+) .*$/gm, '$1 DATE')
  /** A file as the domain's owner would have it. */
  const put = async (text: string, path = mbox): Promise<void> => {
    await writeFile(path, text, { mode: 0o600 })
    if (isRoot) await chown(path, OWNER, OWNER)
  }
  return { ...made, mbox, read, put }
}

describe('an mbox file that an alias names', () => {
  it('is made, and then added to', async () => {
    const { send, read, mbox } = await world()
    expect(await send('box')).toEqual(['delivered'])
    expect(await send(['both', 'box', 'alice'])).toEqual(['delivered', 'delivered', 'delivered'])
    expect(await read()).toBe(entry('box') + entry('both'))
    expect((await lstat(mbox)).mode & 0o777).toBe(0o600)
    if (isRoot) expect((await lstat(mbox)).uid).toBe(OWNER)
  })

  it('gets messages of many deliveries at once, each whole', async () => {
    const { send, read } = await world()
    const bodies = Array.from(
      { length: 20 },
      (_, n) => `Subject: ${n}\n\n${'x\n'.repeat(n * 1_000)}`,
    )
    const all = await Promise.all(bodies.map((body) => send('box', fromBuffer(Buffer.from(body)))))
    expect(all.flat()).toEqual(bodies.map(() => 'delivered'))
    const text = await read()
    for (const body of bodies) expect(text).toContain(entry('box', body))
    expect(text.length).toBe(bodies.map((body) => entry('box', body)).join('').length)
  })

  it.each([
    ['From a DATE\n\nx', '\n\n'],
    ['From a DATE\n\nx\n', '\n'],
    ['From a DATE\n\nx\n\n', ''],
  ])('that ends with %j gets an empty line first', async (before, gap) => {
    const { send, read, put } = await world()
    await put(before)
    expect(await send('box')).toEqual(['delivered'])
    expect(await read()).toBe(before + gap + entry('box'))
  })

  it('stays as it was when the message cannot be read to its end', async () => {
    const { send, read, put } = await world()
    await put('From a DATE\n\nold\n\n')
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from(BODY)
      throw Object.assign(new Error('EIO'), { code: 'EIO' })
    }
    expect(await send('box', { size: 99, lines: 9, open: broken })).toEqual(['451 4.3.0'])
    expect(await read()).toBe('From a DATE\n\nold\n\n')
    expect(await send('box')).toEqual(['delivered'])
  })

  it('waits for its lock, and gives it back', async () => {
    const { send, mbox, read } = await world()
    await writeFile(`${mbox}.lock`, 'somebody')
    let done = false
    const sent = send('box').finally(() => (done = true))
    await sleep(600)
    expect(done).toBe(false)
    const unlock = import('node:fs/promises').then(({ unlink }) => unlink(`${mbox}.lock`))
    await unlock
    expect(await sent).toEqual(['delivered'])
    expect(await read()).toBe(entry('box'))
    await expect(lstat(`${mbox}.lock`)).rejects.toThrow('ENOENT')
  })

  const traps: [string, (mbox: string, here: string) => Promise<unknown>][] = [
    [
      'a link',
      async (mbox, here) => {
        await writeFile(join(here, 'victim'), '')
        await symlink(join(here, 'victim'), mbox)
      },
    ],
    [
      'a second name of a file',
      async (mbox, here) => {
        await writeFile(join(here, 'victim'), '')
        await link(join(here, 'victim'), mbox)
      },
    ],
    ['a FIFO', async (mbox) => execFileSync('mkfifo', [mbox])],
    ['a directory', (mbox) => mkdir(mbox)],
    ['no mbox', (mbox) => writeFile(mbox, 'root:x:0:0:root:/root:/bin/sh\n')],
  ]
  it.each(traps)('is left alone when it is %s', async (_, make) => {
    const { send, mbox, here } = await world()
    await make(mbox, here)
    const size = (await lstat(mbox)).size
    if (isRoot) execFileSync('chown', ['-hR', `${OWNER}:${OWNER}`, here])
    expect(await send('box')).toEqual(['451 4.3.5'])
    expect((await lstat(mbox)).size).toBe(size)
  })

  it('in a directory that is not there makes the mail wait', async () => {
    const { send } = await world('box: HERE/no/mbox\n')
    expect(await send('box')).toEqual(['451 4.3.5'])
  })

  it.runIf(isRoot)('is written by root only where the owner of the domain could', async () => {
    const outside = await temporaryDirectory()
    const { send, put, mbox, here } = await world(
      `box: HERE/mbox\nout: ${outside}/mbox\nup: HERE/up/mbox\n`,
    )
    await writeFile(mbox, '')
    expect(await send('box')).toEqual(['451 4.3.5'])
    await put('')
    expect(await send('box')).toEqual(['delivered'])
    expect(await send('out')).toEqual(['451 4.3.5'])
    await symlink(outside, join(here, 'up'))
    expect(await send('up')).toEqual(['451 4.3.5'])
    await expect(lstat(join(outside, 'mbox'))).rejects.toThrow('ENOENT')
    await chmod(here, 0o777)
    expect(await send('box')).toEqual(['451 4.3.5'])
  })

  testWith(['python3'], 'is read by Python as it was written', async () => {
    const { send, mbox } = await world()
    const body =
      'Subject: two\n\nFrom here on\n>From there\n.\n\nFrom joe@x Thu Jan  1 00:00:00 1970\nend'
    expect(await send('box')).toEqual(['delivered'])
    expect(await send('box', fromBuffer(Buffer.from(body)), null)).toEqual(['delivered'])
    const script = join(import.meta.dirname, 'mbox-read.py')
    const { stdout, stderr } = await runProgram('python3', [script, mbox])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout.toString())).toEqual([
      expect.objectContaining({ subject: 'x', body: 'hello\n', delivered: 'box@example.com' }),
      {
        from: expect.stringMatching(/^MAILER-DAEMON /) as string,
        subject: 'two',
        delivered: 'box@example.com',
        body: '>From here on\n>>From there\n.\n\n>From joe@x Thu Jan  1 00:00:00 1970\nend\n',
      },
    ])
  })

  testWith(
    ['mutt', 'script'],
    'is understood by mutt, which takes a message out of it',
    async () => {
      const { send, mbox, read } = await world()
      for (const local of ['box', 'both', 'box']) expect(await send(local)).toEqual(['delivered'])
      await inHome(async (home) => {
        await mkdir(join(home, 'Mail'))
        const settings = 'set sort=mailbox-order move=no delete=yes quit=yes mark_old=no'
        await writeFile(join(home, 'rc'), `${settings}\npush "2<enter><delete-message><quit>"\n`)
        const command = `mutt -n -F ${home}/rc -f ${mbox}`
        const env = { TERM: 'xterm' }
        const { code } = await runProgram('script', ['-qec', command, '/dev/null'], { home, env })
        expect(code).toBe(0)
      })
      const left = await read()
      expect(left.match(/^Delivered-To: .*$/gm)).toEqual(
        Array(2).fill('Delivered-To: box@example.com'),
      )
      expect(await send('both')).toEqual(['delivered'])
      expect(await read()).toBe(left + entry('both'))
    },
  )
})

describe('the lock of an mbox file', () => {
  it('that nobody can hold any more is taken', async () => {
    const file = join(await temporaryDirectory(), 'mbox')
    await writeFile(`${file}.lock`, '1')
    const old = new Date(Date.now() - 3_600_000)
    await utimes(`${file}.lock`, old, old)
    const unlock = await lockMbox(file)
    expect(await readFile(`${file}.lock`, 'utf8')).toBe(`${process.pid}\n`)
    await unlock()
    await unlock()
    await expect(lstat(`${file}.lock`)).rejects.toThrow('ENOENT')
  })

  it('lets one hold it at a time', async () => {
    const file = join(await temporaryDirectory(), 'mbox')
    let holders = 0
    await Promise.all(
      [1, 2, 3].map(async () => {
        const unlock = await lockMbox(file)
        expect(++holders).toBe(1)
        await sleep(20)
        holders--
        await unlock()
      }),
    )
  })
})
