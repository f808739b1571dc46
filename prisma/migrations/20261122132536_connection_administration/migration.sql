-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "are_connections_limited" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "connections" UUID[] DEFAULT ARRAY[]::UUID[];

-- AlterTable
ALTER TABLE "connections" ADD COLUMN     "secrets_set_at" JSON NOT NULL DEFAULT '{}';

-- AlterTable
ALTER TABLE "organization_domains" ADD COLUMN     "missing_since" TIMESTAMPTZ(3);

-- The settings make one connection of a kind, however many processes start at once.
CREATE UNIQUE INDEX "connections_of_settings_key" ON "connections"("connector") WHERE "origin" = 'settings' AND "deleted_at" IS NULL;
-- Only the system believes what a provider says of any address.
ALTER TABLE "connections" ADD CONSTRAINT "connections_trusts_emails_check" CHECK (NOT "trusts_emails" OR "organization_id" IS NULL);
