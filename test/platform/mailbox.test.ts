// The kept mail of development: whole, also while others write and clear away.
import test from 'ava'
import { createMailbox, type Mailbox } from '../../src/platform/mailbox.ts'
import { makeDataDir } from '../support/database.ts'

const open = () => {
  const { dataDir, remove } = makeDataDir()
  return { mailbox: createMailbox({ directory: dataDir, now: () => new Date() }), remove }
}
const send = (mailbox: Mailbox, id: number, text: string) => mailbox.send({ id: String(id), to: 'a@people.example', subject: 'Hello', text, html: '' })

/** Reads until the work is over; answers how much text there was in each mail that was read. */
const readDuring = async (mailbox: Mailbox, work: Promise<unknown>) => {
  const lengths: number[] = []
  let isOver = false
  const over = work.finally(() => {
    isOver = true
  })
  while (!isOver) for (const { text } of await mailbox.list()) lengths.push(text.length)
  await over
  return lengths
}

test('a mail that is being written is not there yet for whoever reads meanwhile', async t => {
  const text = 'x'.repeat(3_000_000)
  for (let round = 0; round < 20; round += 1) {
    const { mailbox, remove } = open()
    t.teardown(remove)
    const lengths = await readDuring(mailbox, send(mailbox, round, text))
    t.true(lengths.every(length => length === text.length))
    t.is((await mailbox.list()).length, 1)
  }
})

test('a mail that is cleared away meanwhile is not there any more', async t => {
  const { mailbox, remove } = open()
  t.teardown(remove)
  const sending = async () => {
    for (let id = 0; id < 220; id += 1) await send(mailbox, id, 'Hello')
  }
  await readDuring(mailbox, sending())
  t.true((await mailbox.list()).length <= 201)
})
