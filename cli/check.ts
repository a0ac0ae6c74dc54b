/** `mailtap check`: everything that is wrong, all at once, before mail finds out. */
import { ConfigError } from '../src/config/config-error.js'
import { checkApop } from './check-apop.js'
import { checkDkim } from './check-dkim.js'
import { checkDomains } from './check-domains.js'
import { checkRelay } from './check-relay.js'
import { checkServer } from './check-server.js'
import { CONFIG, JSON_OUTPUT, type Command, type Given } from './command.js'
import { Exit, Failure } from './exit.js'
import { Findings } from './findings.js'
import { configFile, readConfig } from './settings.js'
import { complain, say, sayJson, warn } from './terminal.js'

export const check: Command = {
  name: 'check',
  summary: 'read the config and all that it names, and tell what is wrong',
  options: [CONFIG, JSON_OUTPUT],
  run: checkAll,
}

async function checkAll(given: Given): Promise<void> {
  const file = await configFile(given)
  const findings = new Findings()
  await findings.attempt(file, () => lookAt(file, findings))
  const { errors, warnings } = findings
  if (given.has('json')) sayJson({ errors, warnings })
  else for (const warning of warnings) warn(warning)
  if (errors.length === 0) return given.has('json') ? undefined : sayGood(file, warnings.length)
  if (!given.has('json')) throw new Failure(Exit.badConfig, errors)
  const what = `${errors.length} errors`
  throw new Failure(Exit.badConfig, what)
}

async function lookAt(file: string, findings: Findings): Promise<void> {
  try {
    const config = await readConfig(file)
    await checkServer(file, config, findings)
    await checkDomains(config, findings)
    await checkDkim(config, findings)
    await checkRelay(config, findings)
    await checkApop(config, findings)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const { where, what } of error.problems) findings.error(`${where}: ${what}`)
  }
}

function sayGood(file: string, warnings: number): void {
  if (warnings > 0) complain(`${file}: no errors, ${warnings} warnings`)
  else say(`${file}: all is well`)
}
