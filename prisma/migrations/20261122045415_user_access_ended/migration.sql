-- AlterTable
ALTER TABLE "users" ADD COLUMN     "access_ended_at" TIMESTAMPTZ(3);

-- By hand: what waits to be purged, and the last owner of an organization, are found without reading everything.
CREATE INDEX "users_deleted_at_idx" ON "users"("deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE INDEX "organizations_deleted_at_idx" ON "organizations"("deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE INDEX "clients_deleted_at_idx" ON "clients"("deleted_at") WHERE "deleted_at" IS NOT NULL;
