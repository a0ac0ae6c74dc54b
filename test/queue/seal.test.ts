import { describe, expect, it } from 'vitest'
import { prepend } from '../../src/mail/message.js'
import type { Seal } from '../../src/queue/spooling-queue.js'
import { BODY, mail, queueStage, waiting } from './queue-stage.js'

const LINE = 'Sealed: yes\n'

/** @param fault where it fails */
function sealWith(fault: 'ready' | 'signed' | null = null): Seal {
  const check = (at: typeof fault): void => {
    if (fault === at) throw new Error('the key is broken')
  }
  return {
    ready: async () => check('ready'),
    signed: async (_, message) => {
      check('signed')
      return prepend(Buffer.from(LINE), message)
    },
  }
}

describe('mail that leaves', () => {
  it('is sealed in the spool, and what stays is not', async () => {
    const { put, spool, mailbox } = await queueStage('', { seal: sealWith() })
    expect(await put(mail(['ann@a.example', 'alice']))).toEqual(['taken', 'taken'])
    const [item] = await spool.items()
    const chunks: Buffer[] = []
    for await (const chunk of (await spool.message(item!)).open()) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe(LINE + BODY)
    expect([item!.size, item!.lines]).toEqual([(LINE + BODY).length, 4])
    const [kept] = await mailbox('alice')
    expect(kept).not.toContain(LINE)
  })

  it('is refused for now where it cannot be sealed, before anybody has it', async () => {
    const { put, spool, mailbox, log } = await queueStage('away: ann@a.example\n', {
      seal: sealWith('ready'),
    })
    expect(await put(mail(['alice', 'away']))).toEqual(['451 4.3.0', '451 4.3.0'])
    await expect(mailbox('alice')).rejects.toMatchObject({ code: 'ENOENT' })
    expect(log.of('queue cannot sign')).toMatchObject([{ reason: 'the key is broken' }])
    expect(await put(mail(['alice']))).toEqual(['taken'])
    expect(await mailbox('alice')).toHaveLength(1)
    expect(spool.added).toEqual([])
  })

  it('is refused for now where sealing fails at last', async () => {
    const { put, spool } = await queueStage('', { seal: sealWith('signed') })
    expect(await put(mail(['ann@a.example']))).toEqual(['451 4.3.0'])
    expect(await waiting(spool)).toEqual([])
  })
})
