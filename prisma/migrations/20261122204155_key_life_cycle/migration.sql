-- AlterTable
ALTER TABLE "signing_keys" ADD COLUMN     "revoked_at" TIMESTAMPTZ(3),
ALTER COLUMN "sealed_jwk" DROP NOT NULL;

-- CreateTable
CREATE TABLE "lasting_keys" (
    "purpose" TEXT NOT NULL,
    "sealed" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "lasting_keys_pkey" PRIMARY KEY ("purpose")
);

-- Written by hand: what the schema cannot say.
ALTER TABLE "signing_keys" DROP CONSTRAINT "signing_keys_state_check";
ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_state_check" CHECK ("state" IN ('next', 'current', 'retired', 'revoked'));
ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_revoked_check" CHECK (("state" = 'revoked') = ("sealed_jwk" IS NULL));
-- Of several next keys of an algorithm, which rotations at the same moment could leave, the oldest stays.
UPDATE "signing_keys" SET "state" = 'retired', "retired_at" = now()
WHERE "state" = 'next' AND "id" NOT IN (SELECT DISTINCT ON ("algorithm") "id" FROM "signing_keys" WHERE "state" = 'next' ORDER BY "algorithm", "created_at", "id");
CREATE UNIQUE INDEX "signing_keys_next_key" ON "signing_keys"("algorithm") WHERE "state" = 'next';
