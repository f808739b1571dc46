// Waits for what comes about in its own time.
import { setTimeout as sleep } from 'node:timers/promises'

/** Asks every 20 ms until the answer is yes. Throws after a minute. */
export async function until(question: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(20)) if (await question()) return
  throw new Error(`it did not come about within ${seconds} seconds`)
}
