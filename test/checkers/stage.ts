/** What the checkers of a test have of a server: domains without any user file. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { makeChecker, type UserChecker } from '../../src/checkers/checkers.js'
import { Slots } from '../../src/checkers/slots.js'
import { MemoryDirectory } from '../../src/directory/memory.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { writeFile } from 'node:fs/promises'

/** Nobody has an account in files. */
export const parts = {
  directory: new MemoryDirectory({
    domains: { 'example.com': {}, 'example.net': {} },
    users: {},
    defaultDomain: 'example.com',
  }),
  slots: new Slots(),
  secret: Buffer.alloc(32, 7),
}

export function check(spec: string): UserChecker {
  return makeChecker(spec, parts)
}

/** A private file in a directory of its own. */
export async function privateFile(text: string | Buffer, mode = 0o600): Promise<string> {
  const path = join(await temporaryDirectory(), 'file')
  await writeFile(path, text, { mode })
  return path
}

/**
 * A server that does with each connection what it is told.
 * @param path of a UNIX socket, instead of a port
 * @returns its port
 */
export async function badServer(treat: (socket: Socket) => void, path?: string): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    onEnd.push(() => socket.destroy())
    treat(socket)
  })
  const onEnd: (() => void)[] = []
  if (path === undefined) server.listen(0, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
  onTestFinished(() => {
    for (const end of onEnd) end()
    server.close()
  })
  return path === undefined ? (server.address() as AddressInfo).port : 0
}

/** Takes connections, and says nothing. */
export const silent = (): void => {}
/** Says what nobody can make sense of. */
export const rubbish = (socket: Socket): void =>
  void socket.end('\u0000\u00ff rubbish \n'.repeat(99))
