/** All rows, in the order of the report. */
import type { Row } from './row.js'
import { beforeLogin } from './rows/before-login.js'
import { capabilities } from './rows/capabilities.js'
import { deletion } from './rows/deletion.js'
import { knownMails, twins } from './rows/known-mails.js'
import { language } from './rows/language.js'
import { listing } from './rows/listing.js'
import { login } from './rows/login.js'
import { numbers } from './rows/numbers.js'
import { retrieval } from './rows/retrieval.js'
import { sessions } from './rows/sessions.js'
import { tls } from './rows/tls.js'

/** Those that remove a message come last: the others compare with what was there at first. */
export const ROWS: readonly Row[] = [
  ...beforeLogin,
  ...capabilities,
  ...login,
  ...tls,
  ...language,
  ...listing,
  twins,
  ...retrieval,
  ...knownMails,
  ...numbers,
  ...sessions,
  ...deletion,
]
