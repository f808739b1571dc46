-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "is_agent" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "owner_user_id" UUID;

-- CreateIndex
CREATE INDEX "clients_owner_user_id_idx" ON "clients"("owner_user_id");

-- AddForeignKey
ALTER TABLE "clients" ADD CONSTRAINT "clients_owner_user_id_fkey" FOREIGN KEY ("owner_user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- An agent belongs to somebody, and what belongs to a person is an agent; none is the operator's own.
ALTER TABLE "clients" ADD CONSTRAINT "clients_agent_belongs" CHECK ("deleted_at" IS NOT NULL OR NOT "is_agent" OR "owner_user_id" IS NOT NULL OR "organization_id" IS NOT NULL);
ALTER TABLE "clients" ADD CONSTRAINT "clients_owned_is_agent" CHECK ("owner_user_id" IS NULL OR "is_agent");
ALTER TABLE "clients" ADD CONSTRAINT "clients_agent_not_first_party" CHECK (NOT ("is_agent" AND "first_party"));
