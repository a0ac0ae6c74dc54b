import { access, chown, lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Deadline } from '../../src/courier/deadline.js'
import { FileCourier } from '../../src/courier/file.js'
import { LmtpCourier } from '../../src/courier/lmtp.js'
import { lockMbox } from '../../src/courier/mbox-lock.js'
import { PipeCourier } from '../../src/courier/pipe.js'
import { silent } from '../../src/log/log.js'
import { fromBuffer } from '../../src/mail/message.js'
import type { Refusal } from '../../src/mail/refusal.js'
import { isRoot, OWNER } from '../helpers/courier-world.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { lmtpServer, PLAIN } from '../helpers/lmtp-script.js'
import { addressOf, envelopeOf } from '../helpers/mail-world.js'

const of = addressOf('a@example.com')
const envelope = envelopeOf('joe@far.example')
const message = fromBuffer(Buffer.from('Subject: x\n\nx\n'))
const later = [expect.objectContaining({ code: 451 })]

async function domain() {
  const here = await temporaryDirectory()
  if (isRoot) await chown(here, OWNER, OWNER)
  return { here, options: { directoryOf: () => here, log: silent } }
}

/** One run of a program. */
async function run(command: readonly string[], deadline: Deadline) {
  const { here, options } = await domain()
  const target = { kind: 'program', command, of, extension: null } as const
  const courier = new PipeCourier(options)
  return { here, told: await courier.deliver([target], envelope, message, deadline) }
}

describe('when a delivery was given up', () => {
  it('no program is started', async () => {
    const { here, told } = await run(['/bin/touch', 'ran'], new Deadline(0))
    expect(told).toEqual(later)
    await expect(access(join(here, 'ran'))).rejects.toThrow('ENOENT')
  })

  it('a program that was started before has been ended', async () => {
    const { told } = await run(['/bin/sleep', '600'], new Deadline(300))
    expect(told).toEqual(later)
  })

  it('no LMTP server is called', async () => {
    const { place, sessions } = await lmtpServer(PLAIN)
    const target = { kind: 'lmtp', endpoint: place, to: of } as const
    const courier = new LmtpCourier({ hostname: 'mx.example', log: silent })
    expect(await courier.deliver([target], envelope, message, new Deadline(0))).toEqual(later)
    expect(sessions()).toBe(0)
  })

  it('nothing is written to a file whose lock it waited for', async () => {
    const { here, options } = await domain()
    const path = join(here, 'mbox')
    const unlock = await lockMbox(path)
    const courier = new FileCourier(options)
    const sent: Promise<(Refusal | null)[]> = courier.deliver(
      [{ kind: 'file', path, of }],
      envelope,
      message,
      new Deadline(200),
    )
    await sleep(300)
    await unlock()
    expect(await sent).toEqual(later)
    await expect(lstat(path)).rejects.toThrow('ENOENT')
  })
})
