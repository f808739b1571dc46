// Makes the deliveries of events: a part of the very statement that writes them.
//
// An event and its deliveries are there together or not at all, and no change makes a trip more for it; without a webhook it is a look into an
// empty index. A cursor for each webhook would leave changes alone, but the events of the system stand in as many chains as there are
// organizations: there is no one order to remember a place in that those who commit late do not slip behind. What is delivered has rows anyway,
// for it is shown.
//
// The order: a place in the line is taken while the head of the chain is locked, so within an organization the line is as the chain. Of events
// of different organizations, one that was there before another began stands before it.
import { testEvent } from './webhook.ts'

/** The statement. `event` has the new rows of the audit log, all of one chain. */
export const fanOut = `
  INSERT INTO webhook_deliveries (webhook_id, event_id, action)
  SELECT own.id, event.id, event.action
  FROM (SELECT id, events FROM webhooks WHERE organization_id IS NULL OR organization_id = (SELECT organization_id FROM event LIMIT 1)) own
  JOIN event ON own.events && ARRAY[event.action, split_part(event.action, '.', 1) || '.*', '*']
             OR (event.action = '${testEvent}' AND event.target_id = own.id::text)
  ORDER BY event.seq, own.id`
