import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Dated, DueHeap } from '../../src/queue/due-heap.js'

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('add', 'add', 'remove', 'move'),
    due: fc.nat({ max: 50 }),
    which: fc.nat(),
  }),
  { maxLength: 200 },
)

test('the first is the earliest, whatever was put in, moved and taken out', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const heap = new DueHeap<Dated>()
      const model: Dated[] = []
      for (const { what, due, which } of all) {
        const one = model[which % Math.max(model.length, 1)]
        if (what === 'add' || one === undefined) {
          const fresh = { due, place: -1 }
          model.push(fresh)
          heap.add(fresh)
        } else if (what === 'remove') {
          model.splice(model.indexOf(one), 1)
          heap.remove(one)
          heap.remove(one)
          expect(one.place).toBe(-1)
        } else {
          one.due = due
          heap.moved(one)
        }
        const earliest = (dues: readonly Dated[]): number =>
          Math.min(...dues.map((each) => each.due))
        expect(heap.first?.due ?? Infinity).toBe(earliest(model))
        const odd = (each: Dated): boolean => each.due % 2 === 1
        expect(heap.earliest(odd)?.due ?? Infinity).toBe(earliest(model.filter(odd)))
      }
    }),
  )
})
