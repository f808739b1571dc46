-- AlterTable
ALTER TABLE "users" ADD COLUMN     "factor_strikes" JSONB;
