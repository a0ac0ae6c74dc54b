import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { certificate, stage, until } from '../helpers/listener-stage.js'

describe('TLS', () => {
  test('begins on demand', async () => {
    await certificate()
    const { client, sessions } = await stage()
    const secure = await client()
    await secure.hear('hello\r\n')
    secure.send('tls\r\n')
    await secure.hear('go\r\n')
    await secure.secure()
    secure.send('secret\r\n')
    await secure.hear('secret\r\n')
    expect(sessions[0]!.tls?.version).toBe('TLSv1.3')
    secure.socket.destroy()
  })

  test('begins at once on an implicit TLS port', async () => {
    await certificate()
    const { client } = await stage({ implicitTls: true })
    const secure = await client()
    await secure.secure()
    secure.send('bye\r\n')
    expect(await secure.end()).toBe('hello\r\nbye\r\n')
  })

  test.each([0, 1, 2, 5, 10, 20, 50])(
    'answers nothing that was sent in clear %i ms after the command (T2)',
    async (delay) => {
      await certificate()
      const { client, sessions } = await stage()
      const attacker = await client()
      await attacker.hear('hello\r\n')
      attacker.send('tls\r\n')
      await sleep(delay)
      attacker.send('injected\r\n')
      const said = await attacker.end()
      // At most an alert of the TLS layer follows the permission to begin.
      expect(said).not.toContain('injected')
      await until(() => sessions[0]!.isClosed)
    },
  )

  test('answers nothing that came in clear while a slow command was worked on (T2)', async () => {
    await certificate()
    const { client, sessions } = await stage()
    for (const packets of [
      ['work\r\n', 'tls\r\n', 'injected\r\n'],
      ['work\r\ntls\r\n', 'injected\r\n'],
    ]) {
      const attacker = await client()
      await attacker.hear('hello\r\n')
      const session = sessions.at(-1)!
      let finish = (): void => {}
      session.work = new Promise((resolve) => (finish = resolve))
      for (const packet of packets) {
        attacker.send(packet)
        await sleep(20)
      }
      finish()
      expect(await attacker.end()).toBe('worked\r\nfault out-of-step\r\n')
      await until(() => session.isClosed)
    }
  })

  test('drops a client that sends more in the same packet (T1)', async () => {
    await certificate()
    const { client } = await stage()
    const attacker = await client()
    attacker.send('tls\r\ninjected\r\n')
    expect(await attacker.end()).toBe('hello\r\nfault out-of-step\r\n')
  })

  test('drops a client whose handshake is garbage, and serves the next', async () => {
    await certificate()
    const { client, sessions } = await stage({ implicitTls: true })
    const noise = await client()
    noise.send('GET / HTTP/1.1\r\n\r\n')
    await noise.end()
    await until(() => sessions[0]!.isClosed)
    const next = await client()
    await next.secure()
    await next.hear('hello\r\n')
    next.socket.destroy()
  })
})
