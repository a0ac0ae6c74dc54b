/** Reads what is asked out of a request, and no more of it than a question can be long. */
import { ControlRefusal } from './control.js'

/** Octets: ten thousand ids take less. */
const MAX_BODY = 1_048_576

/**
 * @returns an empty object if there is no body
 * @throws ControlRefusal
 */
export async function jsonOf(body: AsyncIterable<Buffer>): Promise<unknown> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > MAX_BODY) throw new ControlRefusal(413, [`more than ${MAX_BODY} octets are asked`])
    pieces.push(piece)
  }
  return size === 0 ? {} : parsed(Buffer.concat(pieces).toString())
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ControlRefusal(400, ['the question is not JSON'], { cause: error })
  }
}
