-- AlterTable
ALTER TABLE "identities" ADD COLUMN     "made_user" BOOLEAN NOT NULL DEFAULT false;
