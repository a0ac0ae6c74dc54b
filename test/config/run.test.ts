import { expect, test } from 'vitest'
import { checkForm } from '../../src/config/schema.js'

const workers = (run: object | undefined): unknown =>
  checkForm(run === undefined ? {} : { run }).settings?.run.workers

test('workers are a number or "auto"; without a word one process does all', () => {
  expect(workers(undefined)).toBe(0)
  expect(workers({ workers: 4 })).toBe(4)
  expect(workers({ workers: 'auto' })).toBe('auto')
})

test.each([-1, 65, 1.5, '2', 'many', true])(
  '%j workers are refused with the form to use',
  (value) => {
    const checked = checkForm({ run: { workers: value } })
    expect(checked.settings).toBeNull()
    expect(JSON.stringify(checked)).toContain('for one per core')
  },
)
