/** What `mailtap check` tells of APOP: whether it is offered and nobody could use it. */
import type { Config } from '../src/config/config.js'
import { FilesDirectory } from '../src/directory/files.js'
import { silent } from '../src/log/log.js'
import type { Findings } from './findings.js'

export async function checkApop(config: Config, findings: Findings): Promise<void> {
  if (config.pop3.apop !== 'on') return
  // What can not be read is told of by the checks of the domains.
  const directory = new FilesDirectory({ ...config, log: silent })
  await directory.scanSecrets()
  if (directory.secrets() !== 'none') return
  findings.warning(
    '[pop3] apop = "on", but no account stores its password in clear, so APOP fails for all of ' +
      'them; remove it, or store one: mailtap user passwd -s plain ADDRESS',
  )
}
