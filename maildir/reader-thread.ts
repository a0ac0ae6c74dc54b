/** The thread that lists, reads and empties Maildirs: takes a task, does it, says what came of it. */
import { parentPort } from 'node:worker_threads'
import { type Failure, failureOf } from './failure.js'
import { listNow, type Mistrust, mistrustNow } from './list-now.js'
import { type PieceWanted, readPiece } from './piece-now.js'
import { readMessages, type Wanted } from './read-now.js'
import { SizeLine } from './size-file.js'
import { type Sweep, sweepNow } from './trash-now.js'
import { type Doomed, unlinkAll } from './unlink-now.js'
import type { Usage } from './usage.js'
import { claimWarning, forgetWarning, type UsageAsked, usageNow } from './usage-now.js'

/** What a thread can be asked for. */
export interface Tasks {
  readonly list: { readonly ask: Wish; readonly answer: ReturnType<typeof listNow> }
  readonly mistrust: { readonly ask: Mistrust; readonly answer: null }
  readonly messages: { readonly ask: Wanted; readonly answer: ReturnType<typeof readMessages> }
  readonly piece: { readonly ask: PieceWanted; readonly answer: ReturnType<typeof readPiece> }
  readonly unlink: { readonly ask: Doomed; readonly answer: ReturnType<typeof unlinkAll> }
  readonly sweep: { readonly ask: Sweep; readonly answer: number }
  readonly usage: { readonly ask: UsageAsked; readonly answer: Usage }
  readonly added: { readonly ask: Added; readonly answer: null }
  readonly claim: { readonly ask: string; readonly answer: boolean }
  readonly unclaim: { readonly ask: string; readonly answer: null }
}

/** A Maildir that somebody wants to see. */
interface Wish {
  readonly path: string
  /** True if he may want to see it again soon. */
  readonly lasting: boolean
}

/** Mail that came into a Maildir. */
interface Added {
  readonly maildir: string
  readonly added: Usage
}

/** A task by name, as it travels. */
export interface Task<Name extends keyof Tasks = keyof Tasks> {
  readonly name: Name
  readonly ask: Tasks[Name]['ask']
}

/** What travels back. */
export type Outcome = { readonly answer: unknown } | { readonly failure: Failure }

const work: { readonly [Name in keyof Tasks]: (ask: Tasks[Name]['ask']) => Tasks[Name]['answer'] } =
  {
    list: ({ path, lasting }) => listNow(path, lasting),
    mistrust: mistrustNow,
    messages: readMessages,
    piece: readPiece,
    unlink: unlinkAll,
    sweep: sweepNow,
    usage: usageNow,
    claim: claimWarning,
    added: ({ maildir, added }) => {
      new SizeLine(maildir).write(added)
      return null
    },
    unclaim: (maildir) => {
      forgetWarning(maildir)
      return null
    },
  }

parentPort?.on('message', <Name extends keyof Tasks>({ name, ask }: Task<Name>) => {
  try {
    const answer = work[name](ask)
    // Large memory changes hands instead of being copied.
    parentPort?.postMessage({ answer }, memoryOf(answer))
  } catch (error) {
    parentPort?.postMessage({ failure: failureOf(error) })
  }
})

function memoryOf(answer: Tasks[keyof Tasks]['answer']): ArrayBuffer[] {
  if (answer === null || typeof answer !== 'object') return []
  const values: readonly unknown[] = Object.values(answer)
  return values.flatMap((value) =>
    value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [],
  )
}
