/** Plays test/dialogs/smtp: each is something that a client once said, or might. */
import { describe } from 'vitest'
import { playAll } from '../helpers/dialog.js'
import { SmtpStage } from '../helpers/smtp-stage.js'

describe('SMTP transcripts', () => {
  playAll(new URL('../dialogs/smtp/', import.meta.url).pathname, () => new SmtpStage())
})
