-- CreateTable
CREATE TABLE "changed_targets" (
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "target" JSONB NOT NULL,
    "transaction" BIGINT NOT NULL DEFAULT ((pg_current_xact_id())::text)::bigint,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "changed_targets_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "changed_targets_transaction_idx" ON "changed_targets"("transaction");

-- CreateIndex
CREATE INDEX "changed_targets_changed_at_idx" ON "changed_targets"("changed_at");
