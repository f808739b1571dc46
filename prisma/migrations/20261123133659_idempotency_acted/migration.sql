-- AlterTable
ALTER TABLE "idempotency_keys" ADD COLUMN     "acted_at" TIMESTAMPTZ(3);
