-- AlterTable
ALTER TABLE "audit_events" ADD COLUMN     "hash" BYTEA,
ADD COLUMN     "previous" BYTEA,
ADD COLUMN     "seq" BIGINT NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "audit_chains" (
    "id" UUID NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "seq" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "mac" BYTEA NOT NULL,
    "checkpoint_number" BIGINT NOT NULL DEFAULT 0,
    "checkpoint_mac" BYTEA,

    CONSTRAINT "audit_chains_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_checkpoints" (
    "id" UUID NOT NULL,
    "chain" UUID NOT NULL,
    "number" BIGINT NOT NULL,
    "seq" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "jws" TEXT NOT NULL,

    CONSTRAINT "audit_checkpoints_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "audit_checkpoints_chain_number_key" ON "audit_checkpoints"("chain", "number");

-- By hand: an event's chain is its organization's, or that of the system; no two events of a chain have one place.
CREATE UNIQUE INDEX "audit_events_chain_seq_key" ON "audit_events"((coalesce("organization_id", '00000000-0000-0000-0000-000000000000'::uuid)), "seq") WHERE "seq" > 0;
-- Events that stand in no chain: those from before there were any, and none that is newer.
CREATE INDEX "audit_events_unchained_idx" ON "audit_events"((coalesce("organization_id", '00000000-0000-0000-0000-000000000000'::uuid)), "occurred_at") WHERE "seq" <= 0;
