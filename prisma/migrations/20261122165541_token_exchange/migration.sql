-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "token_exchange" JSON NOT NULL DEFAULT '{}';

-- AlterTable
ALTER TABLE "oidc_artifacts" ADD COLUMN     "lineage" JSONB;
