/** Message numbers hold for one session only (RFC 1939 section 5); here the next one has others. */

export class NumbersMoved extends Error {
  override readonly name = 'NumbersMoved'

  constructor() {
    super('the messages have other numbers, ids or sizes in this session')
  }
}
