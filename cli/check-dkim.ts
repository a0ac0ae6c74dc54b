/** What `mailtap check` tells of the keys that sign mail to other domains. */
import type { Config } from '../src/config/config.js'
import { keyFilesIn, readKey } from '../src/dkim/key-files.js'
import { keyFolder } from '../src/dkim/key-folder.js'
import { checkDirectory } from './check-directory.js'
import type { Findings } from './findings.js'

/** RFC 8301 section 3.2: signers should use no less. */
const GOOD_RSA_BITS = 2_048

export async function checkDkim(config: Config, findings: Findings): Promise<void> {
  for (const domain of Object.keys(config.domains)) {
    const folder = keyFolder(config, domain)!
    await findings.attempt(folder, () => checkFolder(folder, findings))
  }
}

/** Mail of the domain waits as long as one of them cannot be used. */
async function checkFolder(folder: string, findings: Findings): Promise<void> {
  const files = await keyFilesIn(folder)
  if (files.length > 0) await checkDirectory(folder, findings)
  for (const file of files) await findings.attempt(file, () => checkKey(file, findings))
}

async function checkKey(file: string, findings: Findings): Promise<void> {
  const { algorithm, key } = await readKey(file)
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (algorithm === 'rsa' && bits < GOOD_RSA_BITS)
    findings.warning(`${file}: an RSA key of ${bits} bits is weak; make another one`)
}
