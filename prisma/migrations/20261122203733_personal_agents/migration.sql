-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "last_used_at" TIMESTAMPTZ(3);

-- What people made for themselves is nobody's word but theirs.
ALTER TABLE "clients" DROP CONSTRAINT "clients_source_check";
ALTER TABLE "clients" ADD CONSTRAINT "clients_source_check" CHECK ("source" IN ('operator', 'token', 'open', 'document', 'person'));
UPDATE "clients" SET "source" = 'person', "version" = "version" + 1 WHERE "owner_user_id" IS NOT NULL AND "organization_id" IS NULL;
