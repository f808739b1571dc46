-- CreateTable
CREATE TABLE "audit_anchors" (
    "id" INTEGER NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "mac" BYTEA NOT NULL,

    CONSTRAINT "audit_anchors_pkey" PRIMARY KEY ("id")
);

-- By hand from here on: what Prisma's schema cannot say.

ALTER TABLE "audit_anchors" ADD CONSTRAINT "audit_anchors_one_check" CHECK ("id" = 1);

-- The events that tell when a chain began, by the chain. What is no id is not looked at, and so cannot break the statements that do.
CREATE INDEX "audit_events_starts_idx" ON "audit_events"(("target_id" COLLATE "C"))
  WHERE "action" = 'audit.chain_started' AND "organization_id" IS NULL AND "seq" > 0 AND "target_id" ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

-- No chain so far says when it began, and the head's MAC of the newest checkpoint has another key now: all begin anew with the next change, and what was
-- written is as events from before there were chains.
DELETE FROM "audit_checkpoints";
DELETE FROM "audit_chains";
UPDATE "audit_events" SET "seq" = 0, "previous" = NULL, "hash" = NULL WHERE "seq" <> 0;
