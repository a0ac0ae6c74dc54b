/** ENDPOINT on the command line. */
import { EndpointError, EndpointUnsupported, parseEndpoint } from '../src/net/endpoint.js'
import { Exit, Failure } from './exit.js'

/** @returns the text as it is. @throws Failure */
export function checkEndpoint(option: string, text: string): string {
  try {
    parseEndpoint(text)
    return text
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error
    const code = error instanceof EndpointUnsupported ? Exit.unavailable : Exit.usage
    throw new Failure(code, `--${option} ${error.message}`, { cause: error })
  }
}
