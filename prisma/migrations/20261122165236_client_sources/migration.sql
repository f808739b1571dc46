-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "source" TEXT NOT NULL DEFAULT 'operator',
ADD COLUMN     "used_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "client_documents" (
    "client_id" UUID NOT NULL,
    "fetched_at" TIMESTAMPTZ(3) NOT NULL,
    "fresh_until" TIMESTAMPTZ(3) NOT NULL,
    "refused_at" TIMESTAMPTZ(3),

    CONSTRAINT "client_documents_pkey" PRIMARY KEY ("client_id")
);

-- CreateIndex
CREATE INDEX "clients_source_used_at_idx" ON "clients"("source", "used_at");

-- AddForeignKey
ALTER TABLE "client_documents" ADD CONSTRAINT "client_documents_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "clients"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What registered itself until now did so with an initial access token.
UPDATE "clients" SET "source" = 'token' WHERE "metadata" ->> 'client_id_issued_at' IS NOT NULL;

ALTER TABLE "clients" ADD CONSTRAINT "clients_source_check" CHECK ("source" IN ('operator', 'token', 'open', 'document'));
