/** What goes wrong between us and another mail server, and what it said, in a form that can be shown. */

/** The server does not speak SMTP or LMTP, or says more than anybody may. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/** The connection has ended before all was said. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'

  constructor() {
    super('the server has closed the connection')
  }
}

/** The server was silent for too long. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'

  constructor(withinMs: number) {
    super(`no answer within ${Math.ceil(withinMs / 1_000)} s`)
  }
}

/** Characters of a reply that are kept for people. */
const MAX_SAID = 400

/** A reply in one line: printable ASCII, at most 400 characters. */
export function saidBy({ code, lines }: { code: number; lines: readonly string[] }): string {
  return `${code} ${lines.join(' ')}`
    .slice(0, MAX_SAID)
    .replace(/[^ -~]/g, '?')
    .trim()
}
