/** All commands of mailtap. */
import { alias } from './alias.js'
import { auth } from './auth.js'
import { check } from './check.js'
import { config } from './config.js'
import { create } from './create.js'
import { dkim } from './dkim.js'
import { domain } from './domain.js'
import { explainMail } from './explain-mail.js'
import { hash } from './hash.js'
import { later } from './later.js'
import { mailbox } from './mailbox.js'
import { pop3Lint } from './pop3-lint.js'
import type { Program } from './program.js'
import { queue } from './queue.js'
import { relay } from './relay.js'
import { run } from './run.js'
import { reload, status } from './server-status.js'
import { VERSION } from '../src/version.js'
import { user } from './user.js'

export const mailtapProgram = (): Program => ({
  version: VERSION,
  commands: [
    create,
    run,
    status,
    reload,
    check,
    explainMail,
    auth,
    user,
    domain,
    alias,
    mailbox,
    queue,
    relay,
    dkim,
    hash,
    config,
    pop3Lint,
  ],
  later,
})
