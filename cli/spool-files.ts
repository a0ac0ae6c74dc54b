/** The messages that wait, straight from the disk: for commands while no server runs. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../src/config/config.js'
import { type Fields, type Log, silent } from '../src/log/log.js'
import type { QueueDesk, QueueViews } from '../src/queue/desk.js'
import { DiskSource } from '../src/queue/disk-source.js'
import { DiskSpool } from '../src/queue/disk-spool.js'
import { LOCAL_LANE } from '../src/queue/lane-of.js'
import { MemorySpool } from '../src/queue/memory-spool.js'
import { SpoolDesk } from '../src/queue/spool-desk.js'
import { Views } from '../src/queue/views.js'
import type { LaneOf } from '../src/queue/ways.js'
import { Routes } from '../src/relay/routes.js'
import { AlreadyRunning, Instance } from '../src/service/instance.js'
import { Exit, Failure } from './exit.js'
import { warn } from './terminal.js'

/** A spool that is ours until it is closed. */
export interface OpenSpool {
  readonly desk: QueueDesk
  close(): Promise<void>
}

/** For looking: it changes nothing, and a server may start meanwhile. @throws what the disk says */
export async function viewSpool(config: Config): Promise<QueueViews> {
  return new Views(await DiskSource.read(spoolOf(config)), laneOf(config))
}

/**
 * For changing: no server can start until it is closed.
 * @throws Failure when a server has it, or it belongs to somebody else
 */
export async function openSpool(config: Config): Promise<OpenSpool> {
  const { retryMaxMs: maxRetryMs } = config.queue
  const ways = { laneOf: laneOf(config), maxRetryMs }
  if (!(await isOurs(spoolOf(config))))
    return { desk: deskOf(new MemorySpool(ways), ways), ...idle }
  const instance = new Instance(config.state)
  await claim(instance)
  try {
    const spool = await DiskSpool.open(spoolOf(config), { ...ways, log: faults })
    const close = async (): Promise<void> => {
      spool.close()
      await instance.stop()
    }
    return { desk: deskOf(spool, ways), close }
  } catch (error) {
    await instance.stop()
    throw error
  }
}

const idle = { close: async (): Promise<void> => {} }

function deskOf(spool: DiskSpool | MemorySpool, { laneOf: lanes }: { laneOf: LaneOf }): QueueDesk {
  // Nobody is there to deliver or to report: the server will find what is to be done when it starts.
  return new SpoolDesk({
    spool,
    laneOf: lanes,
    kick: () => {},
    report: async () => {},
    log: silent,
  })
}

/**
 * False = there is no spool, and none is made for a command.
 * @throws Failure: what we write the server could not read
 */
async function isOurs(directory: string): Promise<boolean> {
  try {
    const { uid } = await stat(directory)
    if (process.geteuid === undefined || uid === process.geteuid()) return true
    const what = `${directory}: belongs to another user (${uid}), and no server runs; run this as that user`
    throw new Failure(Exit.noPermission, what)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function claim(instance: Instance): Promise<void> {
  try {
    await instance.start()
  } catch (error) {
    if (!(error instanceof AlreadyRunning)) throw error
    const what = `process ${error.pid} has the queue, but takes no questions yet; try again`
    throw new Failure(Exit.tryLater, what, { cause: error })
  }
}

function laneOf({ relay }: Config): LaneOf {
  const routes = new Routes(relay)
  return (item, { target, from }) => {
    if (target.kind !== 'remote') return LOCAL_LANE
    return routes.laneOf({ from: from ?? item.from, user: item.client.user, to: target.address })
  }
}

const spoolOf = ({ state }: Config): string => join(state, 'spool')

/** Of the spool's log, what somebody has to look at. */
const tell = (event: string, { id, reason, path }: Fields = {}): void =>
  warn([event, id, path, reason].filter((each) => each !== undefined).join(': '))
const faults: Log = { ...silent, warn: tell, error: tell }
