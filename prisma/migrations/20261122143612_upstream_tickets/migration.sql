-- AlterTable
ALTER TABLE "upstream_requests" ADD COLUMN     "ticket_hash" BYTEA;
