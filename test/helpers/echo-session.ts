/** The smallest protocol there is: every line comes back. For tests of the network under it. */
import type {
  Answer,
  Farewell,
  LineFault,
  RawInput,
  Session,
  TlsFacts,
} from '../../src/net/session.js'

/** How long `toil` takes, and each octet of `spin`, in milliseconds. */
const TOIL_MS = 5
/** Octets of `spin` at most. */
const MAX_SPIN = 400

export class EchoSession implements Session {
  /** Octets of the answer to `big` behind its first line: more than the kernel keeps for a client. */
  static readonly BIG = 16_000_000
  readonly maxLine = 100
  bareLf = false
  patience = 60_000
  raw: RawInput | null = null
  isClosed = false
  tls: TlsFacts | null = null
  /** Resolved by a test: a command `work` takes until then. */
  work: Promise<void> = Promise.resolve()
  /** Chunks of the endless body of `flood` that were asked for. */
  pulled = 0
  /** Set by a test: the body of `spin` ends, which else takes its time without a pause. */
  released = false
  /** How often `toil` was carried out. */
  toiled = 0

  greet(): Answer {
    return say('hello')
  }

  command(line: Buffer): Answer | Promise<Answer> {
    const text = line.toString('latin1')
    if (text === 'bye') return { ...say('bye'), then: 'close' }
    if (text === 'tls') return { ...say('go'), then: 'starttls' }
    if (text === 'big') return { ...say('big'), body: [Buffer.alloc(EchoSession.BIG)] }
    if (text === 'flood') return { ...say('flood'), body: this.#flood() }
    if (text === 'spin') return { ...say('spin'), body: this.#spin() }
    if (text === 'toil') return this.#toil()
    if (text === 'body') return this.#body()
    const late = /^late (\d+)$/.exec(text)
    if (late !== null) return { ...say(text), after: Number(late[1]) }
    if (text === 'fail') throw new Error('a fault of ours')
    return text === 'work' ? this.work.then(() => say('worked')) : say(text)
  }

  mustBeLast(line: Buffer): boolean {
    return line.toString('latin1') === 'tls'
  }

  fault(fault: LineFault): Answer {
    return say(`fault ${fault}`)
  }

  farewell(why: Farewell): Buffer {
    return say(why).head
  }

  secured(tls: TlsFacts): void {
    this.tls = tls
  }

  async closed(): Promise<void> {
    this.isClosed = true
  }

  /** Takes bytes up to a `!`. */
  #body(): Answer {
    this.raw = {
      patience: () => this.patience,
      take: (chunk) => {
        const end = chunk.indexOf('!')
        if (end === -1) return { taken: chunk.length, answer: null }
        this.raw = null
        return { taken: end + 1, answer: say('got it') }
      },
    }
    return say('go on')
  }

  *#spin(): Generator<Buffer> {
    for (let count = 0; !this.released && count < MAX_SPIN; count++) {
      work()
      yield Buffer.from('.')
    }
    yield say(this.released ? 'released' : 'tired').head
  }

  #toil(): Answer {
    work()
    this.toiled++
    return say('toil')
  }

  async *#flood(): AsyncGenerator<Buffer> {
    for (;;) {
      this.pulled++
      yield Buffer.alloc(65_536)
    }
  }
}

/** Keeps the processor busy. */
function work(): void {
  const end = performance.now() + TOIL_MS
  while (performance.now() < end);
}

function say(text: string): Answer {
  return { head: Buffer.from(`${text}\r\n`, 'latin1') }
}
