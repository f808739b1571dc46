-- AlterTable
ALTER TABLE "organizations" ADD COLUMN     "is_sign_up_open" BOOLEAN NOT NULL DEFAULT true;
