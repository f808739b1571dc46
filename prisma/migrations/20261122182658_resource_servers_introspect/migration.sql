-- AlterTable
ALTER TABLE "resource_server_clients" ADD COLUMN     "introspects" BOOLEAN NOT NULL DEFAULT false;
