import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Outbox } from '../../src/net/outbox.js'
import { Wire } from '../../src/net/wire.js'

/** More than the system takes of a client that does not read. */
const TOO_MUCH = 16 * 1024 * 1024

/** As much as is put together. */
const PIECE = 60_000

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

/** Both ends of a connection: ours as a wire, the client's with all that it read so far. */
async function connected(): Promise<{ wire: Wire; client: Socket; heard: () => Buffer }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connect(port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  const wire = new Wire(socket)
  const chunks: Buffer[] = []
  client.on('data', (chunk: Buffer) => chunks.push(chunk))
  open.push(
    () => wire.destroy(),
    () => client.destroy(),
    () => server.close(),
  )
  return { wire, client, heard: () => Buffer.concat(chunks) }
}

describe('an outbox', () => {
  it('sends small and large pieces in their order, whatever becomes of the small ones afterwards', async () => {
    const { wire, heard } = await connected()
    const outbox = new Outbox(wire)
    const small = Buffer.from('small ')
    const large = Buffer.alloc(200_000, 'L')
    outbox.put(small)
    small.fill('x')
    outbox.put(large)
    outbox.put(Buffer.from(' end'))
    expect(outbox.full).toBe(true)
    await outbox.flush()
    await expect.poll(() => heard().length).toBe(200_010)
    expect(heard().toString()).toBe(`small ${'L'.repeat(200_000)} end`)
  })

  it('keeps apart what goes to two clients, one of which does not read', async () => {
    const [slow, quick] = [await connected(), await connected()]
    const [first, second] = [new Outbox(slow.wire), new Outbox(quick.wire)]
    slow.client.pause()
    let flushed: Promise<void> | null = null
    let octets = 0
    for (; flushed === null && octets < TOO_MUCH; octets += PIECE) {
      first.put(Buffer.alloc(PIECE, '1'))
      flushed = first.flush()
    }
    expect(flushed).not.toBeNull()
    second.put(Buffer.alloc(PIECE, '2'))
    await second.flush()
    slow.client.resume()
    await flushed
    await expect.poll(() => quick.heard().length).toBe(PIECE)
    await expect.poll(() => slow.heard().length).toBe(octets)
    expect(quick.heard().equals(Buffer.alloc(PIECE, '2'))).toBe(true)
    expect(slow.heard().equals(Buffer.alloc(octets, '1'))).toBe(true)
  })

  it('is done with what is waiting when the client goes', async () => {
    const { wire, client } = await connected()
    const outbox = new Outbox(wire)
    client.pause()
    outbox.put(Buffer.alloc(TOO_MUCH, 'f'))
    const flushed = outbox.flush()
    expect(flushed).not.toBeNull()
    client.destroy()
    await flushed
    expect(wire.gone).toBe(true)
    outbox.put(Buffer.from('nobody hears this'))
    expect(outbox.flush()).toBeNull()
  })

  it('writes nothing when there is nothing in it', async () => {
    const { wire } = await connected()
    const outbox = new Outbox(wire)
    outbox.put(Buffer.alloc(0))
    expect(outbox.full).toBe(false)
    expect(outbox.flush()).toBeNull()
  })
})
