/** `newaliases`: aliases are read live, so there is nothing to build; what is wrong with them is told all the same. */
import { checkAliases } from './check-aliases.js'
import { Exit, Failure } from './exit.js'
import { Findings } from './findings.js'
import { readConfig } from './settings.js'

/** Says nothing when all is well. @throws Failure badData with a line for each that leads nowhere */
export async function checkAllAliases(file: string): Promise<void> {
  const config = await readConfig(file)
  const findings = new Findings()
  for (const domain of Object.keys(config.domains)) await checkAliases(config, domain, findings)
  if (findings.errors.length > 0) throw new Failure(Exit.badData, findings.errors)
}
