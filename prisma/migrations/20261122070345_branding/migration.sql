-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "branding" JSON NOT NULL DEFAULT '{}';

-- AlterTable
ALTER TABLE "organizations" ADD COLUMN     "branding" JSON NOT NULL DEFAULT '{}';
