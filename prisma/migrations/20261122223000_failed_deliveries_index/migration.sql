-- The list of what a webhook was not told, in the order of its pages.
CREATE INDEX IF NOT EXISTS "webhook_deliveries_failed_idx" ON "webhook_deliveries"("webhook_id", "event_id") WHERE "state" = 'failed';
