-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "is_members_only" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "oidc_artifacts" ADD COLUMN     "organization_id" TEXT;

-- A client of no organization has no members.
ALTER TABLE "clients" ADD CONSTRAINT "clients_members_only_check" CHECK ("organization_id" IS NOT NULL OR NOT "is_members_only");
