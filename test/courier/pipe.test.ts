import { chmod, chown, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Deadline } from '../../src/courier/deadline.js'
import { PipeCourier } from '../../src/courier/pipe.js'
import { silent } from '../../src/log/log.js'
import { fromBuffer } from '../../src/mail/message.js'
import { BODY, courierWorld, DOMAIN, isRoot, OWNER } from '../helpers/courier-world.js'
import { addressOf, envelopeOf } from '../helpers/mail-world.js'
import { testWith } from '../helpers/programs.js'

const TRACE = 'Return-Path: <joe@far.example>\nDelivered-To: '

/** A script in the domain's directory; a shell runs it because its first line says so. */
async function withScript(text: string, alias = 'prog: "|HERE/script"\n') {
  const world = await courierWorld(alias)
  const script = join(world.here, 'script')
  await writeFile(script, `#!/bin/sh\n${text}\n`)
  await chmod(script, 0o755)
  const read = (name: string): Promise<string> => readFile(join(world.here, name), 'utf8')
  return { ...world, read }
}

/** One run of a program with a time limit of its own. */
async function runFor(timeLimitMs: number, here: string, command: readonly string[]) {
  const courier = new PipeCourier({ directoryOf: () => here, log: silent, timeLimitMs })
  const of = addressOf(`prog@${DOMAIN}`)
  const target = { kind: 'program', command, of, extension: null } as const
  const message = fromBuffer(Buffer.from(BODY))
  const [refusal] = await courier.deliver(
    [target],
    envelopeOf('joe@far.example'),
    message,
    new Deadline(),
  )
  return refusal
}

describe('a program that an alias names', () => {
  it('gets the message with its trace, LF line ends, and nothing else', async () => {
    const { send, read } = await withScript('exec cat > got')
    expect(await send('prog')).toEqual(['delivered'])
    expect(await read('got')).toBe(`${TRACE}prog@example.com\n${BODY}`)
  })

  it('gets a large message whole', async () => {
    const { send, here } = await withScript('exec cat > got')
    const chunk = Buffer.alloc(65_536, 'x')
    chunk[65_535] = 10
    const message = { size: 65_536 * 160, lines: 160, open: () => Array<Buffer>(160).fill(chunk) }
    expect(await send('prog', message)).toEqual(['delivered'])
    expect((await stat(join(here, 'got'))).size).toBe(
      message.size + `${TRACE}prog@example.com\n`.length,
    )
  })

  it('gets a fixed environment, the arguments as they are, and the domain as its directory', async () => {
    const { send, read, here } = await withScript(
      'cat > /dev/null\nenv | grep -v ^_= | sort > env\npwd > pwd\nprintf "%s\\n" "$@" > args',
      `prog: "|HERE/script one 'two words' '$HOME;id'"\n`,
    )
    expect(await send('"prog+a;id"')).toEqual(['delivered'])
    expect((await read('env')).split('\n')).toEqual([
      'DOMAIN=example.com',
      'EXTENSION=a_id',
      `HOME=${here}`,
      'LOCAL=prog+a_id',
      'LOGNAME=prog',
      'PATH=/usr/local/bin:/usr/bin:/bin',
      `PWD=${here}`,
      'RECIPIENT=prog+a_id@example.com',
      'SENDER=joe@far.example',
      'SHELL=/bin/sh',
      'USER=prog',
      '',
    ])
    expect(await read('pwd')).toBe(`${here}\n`)
    expect(await read('args')).toBe('one\ntwo words\n$HOME;id\n')
  })

  it('runs once for one address, however often it is named', async () => {
    const { send, read } = await withScript(
      'cat > /dev/null; echo run >> runs',
      'a: prog\nb: prog, alice\nprog: "|HERE/script"\n',
    )
    expect(await send(['a', 'b', 'prog'])).toEqual(['delivered', 'delivered', 'delivered'])
    expect(await read('runs')).toBe('run\n')
  })

  it('need not read its mail', async () => {
    const { send } = await withScript('exit 0')
    const large = fromBuffer(Buffer.alloc(4_000_000, 'x\n'))
    expect(await send('prog', large)).toEqual(['delivered'])
  })

  it.each([
    [75, '451 4.3.0'],
    [71, '451 4.3.0'],
    [74, '451 4.3.0'],
    [126, '451 4.3.0'],
    [127, '451 4.3.0'],
    [67, '554 5.3.0'],
    [69, '554 5.3.0'],
    [77, '554 5.3.0'],
    [1, '554 5.3.0'],
    [255, '554 5.3.0'],
  ])('says with the exit code %d: %s', async (code, answer) => {
    const { send } = await withScript(`cat > /dev/null; exit ${code}`)
    expect(await send('prog')).toEqual([answer])
  })

  it('that is killed, missing or not to be run makes the mail wait', async () => {
    const { send } = await withScript(
      'kill -SEGV $$',
      'prog: "|HERE/script"\nnone: |/nowhere/x\ndata: |HERE/.aliases\n',
    )
    expect(await send(['prog', 'none', 'data'])).toEqual(['451 4.3.0', '451 4.3.0', '451 4.3.0'])
  })

  it('may say much: the log has the beginning of it', async () => {
    const { send, lines } = await withScript(
      'cat > /dev/null\nyes spam | head -c 1000000\necho >&2 end\nexit 69',
    )
    expect(await send('prog')).toEqual(['554 5.3.0'])
    const [line = ''] = lines
    expect(line).toMatch(/^program failed .*"code":69,.*"output":"spam/)
    expect(line.length).toBeLessThan(8_192)
  })

  it('that takes too long is killed with all that it has started', async () => {
    const { here, read } = await withScript(
      'echo $$ > pid; trap "" TERM; sleep 600 & echo $! > child; wait; sleep 600',
    )
    const refusal = await runFor(300, here, [join(here, 'script')])
    expect(refusal).toMatchObject({ code: 451 })
    for (const name of ['pid', 'child']) {
      const pid = Number(await read(name))
      await expect.poll(() => alive(pid), { timeout: 10_000 }).toBe(false)
    }
  })

  it('may leave a child that holds on to its output and its mail', async () => {
    const { here, read } = await withScript('sleep 30 & echo $! > child; exit 0')
    expect(await runFor(20_000, here, [join(here, 'script')])).toBeNull()
    process.kill(Number(await read('child')), 'SIGKILL')
  })

  it('never takes half a message for a whole one', async () => {
    const { send, here, read } = await withScript('cat > got && mv got whole')
    const half = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from(BODY)
      await sleep(50)
      throw Object.assign(new Error('EIO'), { code: 'EIO' })
    }
    const message = { size: 1_000, lines: 10, open: half }
    expect(await send('prog', message)).toEqual(['451 4.3.0'])
    await sleep(50)
    await expect(read('whole')).rejects.toThrow('ENOENT')
    expect(here).not.toBe('')
  })

  it.runIf(isRoot)('runs as the owner of the domain, never as root', async () => {
    const { send, read, here } = await withScript('cat > /dev/null; id -u > id; id -G >> id')
    expect(await send('prog')).toEqual(['delivered'])
    expect(await read('id')).toBe(`${OWNER}\n${OWNER}\n`)
    await chown(here, 0, 0)
    expect(await send('prog')).toEqual(['451 4.3.5'])
  })

  testWith(['maildrop'], 'can be maildrop, which delivers into an mbox', async () => {
    const { send, here, read } = await courierReading('prog: "|/usr/bin/maildrop HERE/rules"\n')
    await writeFile(join(here, 'rules'), `DEFAULT="${here}/mbox"\nto "${here}/mbox"\n`)
    if (isRoot) await chown(join(here, 'rules'), OWNER, OWNER)
    await chmod(join(here, 'rules'), 0o600)
    expect(await send('prog')).toEqual(['delivered'])
    expect(await read('mbox')).toContain('Delivered-To: prog@example.com\nSubject: x\n\nhello\n')
  })

  testWith(['procmail'], 'can be procmail, which says 75 for "later"', async () => {
    const { send, here, read } = await courierReading(
      'prog: "|/usr/bin/procmail -m DEFAULT=HERE/mbox HERE/rules"\nlate: "|/usr/bin/procmail -t -m HERE/later"\n',
    )
    await writeFile(join(here, 'rules'), `:0:\n${here}/mbox\n`)
    await writeFile(join(here, 'later'), 'EXITCODE=75\nHOST\n')
    for (const rules of ['rules', 'later']) {
      await chmod(join(here, rules), 0o644)
      if (isRoot) await chown(join(here, rules), OWNER, OWNER)
    }
    expect(await send('prog')).toEqual(['delivered'])
    expect(await read('mbox')).toContain('Subject: x\n\nhello\n')
    expect(await send('late')).toEqual(['451 4.3.0'])
  })
})

async function courierReading(aliases: string) {
  const world = await courierWorld(aliases)
  const read = (name: string): Promise<string> => readFile(join(world.here, name), 'utf8')
  return { ...world, read }
}

/** A zombie is nobody any more. */
async function alive(pid: number): Promise<boolean> {
  try {
    return !/^\d+ \([^)]*\) Z/.test(await readFile(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
