-- AlterTable
ALTER TABLE "idempotency_keys" ADD COLUMN     "acted_at" TIMESTAMPTZ(3),
ADD COLUMN     "claimed_at" TIMESTAMPTZ(3);
