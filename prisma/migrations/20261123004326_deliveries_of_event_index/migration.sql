-- The list of what a webhook was told of one event, in the order of its pages.
CREATE INDEX IF NOT EXISTS "webhook_deliveries_webhook_id_action_event_id_idx" ON "webhook_deliveries"("webhook_id", "action", "event_id");
