-- CreateTable
CREATE TABLE "backchannel_requests" (
    "id" UUID NOT NULL,
    "key" BYTEA NOT NULL,
    "account_id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "slot" INTEGER,
    "asked" JSON NOT NULL,
    "sealed" TEXT,
    "ip" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "decision" TEXT,
    "decided_at" TIMESTAMPTZ(3),
    "grant_id" TEXT,
    "acr" TEXT,
    "amr" TEXT[],
    "auth_time" INTEGER,

    CONSTRAINT "backchannel_requests_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "oidc_polls" (
    "key" BYTEA NOT NULL,
    "interval_seconds" INTEGER NOT NULL,
    "polled_at" TIMESTAMPTZ(3) NOT NULL,
    "is_early" BOOLEAN NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "oidc_polls_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE UNIQUE INDEX "backchannel_requests_key_key" ON "backchannel_requests"("key");

-- CreateIndex
CREATE INDEX "backchannel_requests_expires_at_idx" ON "backchannel_requests"("expires_at");

-- CreateIndex
CREATE INDEX "backchannel_requests_client_id_idx" ON "backchannel_requests"("client_id");

-- CreateIndex
CREATE UNIQUE INDEX "backchannel_requests_account_id_slot_key" ON "backchannel_requests"("account_id", "slot");

-- CreateIndex
CREATE INDEX "oidc_polls_expires_at_idx" ON "oidc_polls"("expires_at");

-- Beyond the schema: what a decision may be, and that only what is undecided holds a place.
ALTER TABLE "backchannel_requests" ADD CONSTRAINT "backchannel_requests_decision_check" CHECK ("decision" IN ('approved', 'denied', 'ended'));
ALTER TABLE "backchannel_requests" ADD CONSTRAINT "backchannel_requests_slot_check" CHECK ("slot" IS NULL OR "decision" IS NULL);
