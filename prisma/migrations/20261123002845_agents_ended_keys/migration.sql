-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "ended_keys" TEXT[] DEFAULT ARRAY[]::TEXT[];
