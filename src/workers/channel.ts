/**
 * Questions and answers between two processes. What is asked within one turn of the event loop
 * travels together; nothing waits for ever, and only so much waits at all.
 */
import type { Answers, Book } from './workers.js'

/** Questions without an answer yet: as many as a worker may have clients, and their logins. */
const MAX_OPEN = 100_000

/** The other process does not answer: it is busy, or gone. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered'
}

type Note =
  | { readonly kind: 'ask'; readonly id: number; readonly what: string; readonly asked: unknown }
  | { readonly kind: 'tell'; readonly what: string; readonly asked: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string; code: string | null }

type LateAnswer = (answer: unknown) => void

interface Open {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export class Channel<Asks extends Book, Answered extends Book> {
  readonly #send: (notes: readonly unknown[]) => void
  readonly #answers: Answers<Answered>
  readonly #open = new Map<number, Open>()
  /** Who takes an answer that comes when nobody waits for it any more, by question. */
  readonly #late = new Map<number, LateAnswer>()
  #waiting: Note[] = []
  #last = 0
  #closed = false

  /** @param send must not throw */
  constructor(send: (notes: readonly unknown[]) => void, answers: Answers<Answered>) {
    this.#send = send
    this.#answers = answers
  }

  /**
   * @param patienceMs milliseconds
   * @param late takes the answer if it comes after all: what it grants must be given back
   * @throws Unanswered; what the other process threw, with its code
   */
  ask<K extends keyof Asks & string>(
    what: K,
    asked: Asks[K]['asked'],
    patienceMs: number,
    late?: (answer: Asks[K]['answer']) => void,
  ): Promise<Asks[K]['answer']> {
    if (this.#closed) return Promise.reject(new Unanswered(`${what}: the other process is gone`))
    if (this.#open.size >= MAX_OPEN) {
      return Promise.reject(new Unanswered(`${what}: too many questions wait`))
    }
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(id, what, late), patienceMs)
      this.#open.set(id, { resolve, reject, timer })
      this.#queue({ kind: 'ask', id, what, asked })
    })
  }

  /** Asks for no answer. */
  tell<K extends keyof Asks & string>(what: K, asked: Asks[K]['asked']): void {
    if (!this.#closed) this.#queue({ kind: 'tell', what, asked })
  }

  /** Takes what the other end has sent. */
  receive(notes: unknown): void {
    for (const note of Array.isArray(notes) ? (notes as Note[]) : []) this.#take(note)
  }

  /** The other process is gone. Answers that are still being worked out go nowhere. */
  close(): void {
    this.#closed = true
    this.#waiting = []
    this.#late.clear()
    for (const id of this.#open.keys()) {
      this.#settle(id)?.reject(new Unanswered('the other process is gone'))
    }
  }

  #take(note: Note): void {
    if (note.kind === 'answer') this.#answered(note.id, note.answer)
    else if (note.kind === 'failure') this.#failed(note.id, thrown(note))
    else if (note.kind === 'ask') void this.#answer(note.id, note.what, note.asked)
    else void this.#work(note.what, note.asked).catch(() => {})
  }

  async #answer(id: number, what: string, asked: unknown): Promise<void> {
    try {
      this.#queue({ kind: 'answer', id, answer: await this.#work(what, asked) })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#queue({ kind: 'failure', id, message, code: codeOf(error) })
    }
  }

  async #work(what: string, asked: unknown): Promise<unknown> {
    const answer = this.#answers[what]
    if (answer === undefined) throw new Error(`nobody answers '${what}' here`)
    return answer(asked)
  }

  #queue(note: Note): void {
    if (this.#closed) return
    this.#waiting.push(note)
    if (this.#waiting.length === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const notes = this.#waiting
    this.#waiting = []
    if (notes.length > 0) this.#send(notes)
  }

  #answered(id: number, answer: unknown): void {
    this.#settle(id)?.resolve(answer)
    this.#late.get(id)?.(answer)
    this.#late.delete(id)
  }

  #failed(id: number, error: Error): void {
    this.#settle(id)?.reject(error)
    this.#late.delete(id)
  }

  #giveUp(id: number, what: string, late?: (answer: never) => void): void {
    // What an answer is belongs to the question, which the caller knows.
    if (late !== undefined && this.#late.size < MAX_OPEN) this.#late.set(id, late as LateAnswer)
    this.#settle(id)?.reject(tooLate(what))
  }

  #settle(id: number): Open | undefined {
    const open = this.#open.get(id)
    this.#open.delete(id)
    clearTimeout(open?.timer)
    return open
  }
}

function tooLate(what: string): Unanswered {
  return new Unanswered(`${what}: the other process does not answer`)
}

/** An error of the disk stays what it is: whoever asked has an answer of its own for a full one. */
function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? String(error.code) : null
}

function thrown({ message, code }: { readonly message: string; readonly code: string | null }) {
  return code === null ? new Error(message) : Object.assign(new Error(message), { code })
}
