/** `mailtap alias resolve`: follows an address as the server does, and tells every step. */
import type { Target } from '../src/directory/directory.js'
import { FilesDirectory } from '../src/directory/files.js'
import type { Step } from '../src/directory/names.js'
import { reason, silent } from '../src/log/log.js'
import { formatAddress, parseAddress, type Address } from '../src/mail/address.js'
import { Refusal } from '../src/mail/refusal.js'
import type { Given } from './command.js'
import { stepAsJson, stepInWords, targetAsJson } from './directory-steps.js'
import { Exit, Failure } from './exit.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

/** What came out in the end: places, or the reply that a sender would get. */
type Result =
  | { readonly targets: readonly Target[] }
  | { readonly targets: null; readonly refusal: Refusal }

export async function resolve(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const directory = new FilesDirectory({ ...config, log: silent })
  const address = addressFrom(given.argument!, directory)
  if (!(await directory.owns(address.domain))) {
    const what = `${formatAddress(address)}: ${address.domain} is no domain of this server`
    throw new Failure(Exit.noSuchUser, what)
  }
  const steps: Step[] = []
  const result = await follow(address, directory, steps)
  if (given.has('json')) sayJson(asJson(address, steps, result))
  else for (const line of [...steps.map(stepInWords), ...conclusion(result)]) say(line)
  const failure = failureOf(address, result)
  if (failure !== null) throw failure
}

function addressFrom(text: string, directory: FilesDirectory): Address {
  const address = parseAddress(text) ?? directory.qualify(text)
  if (address !== null) return address
  throw new Failure(Exit.badData, `'${text}' is no address; write name@domain`)
}

/** @throws what the server would log as its own fault */
async function follow(address: Address, directory: FilesDirectory, steps: Step[]): Promise<Result> {
  try {
    return { targets: await directory.resolve(address, (step) => steps.push(step)) }
  } catch (error) {
    if (error instanceof Refusal) return { targets: null, refusal: error }
    throw new Failure(Exit.tryLater, `${formatAddress(address)}: ${reason(error)}`, {
      cause: error,
    })
  }
}

function conclusion(result: Result): string[] {
  if (result.targets !== null) return []
  const { code, status, message } = result.refusal
  return [`reply: ${code} ${status} ${message}`]
}

/** Told on stderr, and with the exit code. */
function failureOf(address: Address, result: Result): Failure | null {
  if (result.targets === null) {
    const { refusal } = result
    const why = refusal.cause === undefined ? refusal.message : reason(refusal.cause)
    const code = refusal.temporary ? Exit.tryLater : Exit.noSuchUser
    return new Failure(code, `${formatAddress(address)}: ${why}`)
  }
  if (result.targets.length > 0) return null
  return new Failure(Exit.noSuchUser, `${formatAddress(address)}: nobody is there`)
}

function asJson(address: Address, steps: readonly Step[], result: Result): object {
  const outcome =
    result.targets === null
      ? {
          reply: {
            code: result.refusal.code,
            status: result.refusal.status,
            text: result.refusal.message,
          },
        }
      : { targets: result.targets.map(targetAsJson) }
  return { address: formatAddress(address), steps: steps.map(stepAsJson), ...outcome }
}
