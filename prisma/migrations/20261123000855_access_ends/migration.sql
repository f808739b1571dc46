-- AlterTable
ALTER TABLE "organizations" ADD COLUMN     "access_ended_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "resource_servers" ADD COLUMN     "access_ended_at" TIMESTAMPTZ(3);
