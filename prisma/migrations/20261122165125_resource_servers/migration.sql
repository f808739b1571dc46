-- AlterTable
ALTER TABLE "organization_roles" ADD COLUMN     "resource_scopes" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "resource_servers" ADD COLUMN     "allows_offline_access" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "client_access" TEXT NOT NULL DEFAULT 'listed',
ADD COLUMN     "disabled_at" TIMESTAMPTZ(3),
ADD COLUMN     "organization_id" UUID,
ADD COLUMN     "requires_permissions" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "scope_descriptions" JSON NOT NULL DEFAULT '{}',
ADD COLUMN     "user_access" TEXT NOT NULL DEFAULT 'any',
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- CreateTable
CREATE TABLE "resource_server_clients" (
    "resource_server_id" UUID NOT NULL,
    "client_id" UUID NOT NULL,
    "scopes" TEXT[],
    "authorization_details_types" TEXT[],

    CONSTRAINT "resource_server_clients_pkey" PRIMARY KEY ("resource_server_id","client_id")
);

-- CreateTable
CREATE TABLE "authorization_details_types" (
    "type" TEXT NOT NULL,
    "resource_server_id" UUID NOT NULL,
    "title" TEXT NOT NULL,
    "schema" JSON NOT NULL,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "authorization_details_types_pkey" PRIMARY KEY ("type")
);

-- CreateIndex
CREATE INDEX "resource_server_clients_client_id_idx" ON "resource_server_clients"("client_id");

-- CreateIndex
CREATE INDEX "authorization_details_types_resource_server_id_idx" ON "authorization_details_types"("resource_server_id");

-- CreateIndex
CREATE INDEX "resource_servers_organization_id_idx" ON "resource_servers"("organization_id");

-- AddForeignKey
ALTER TABLE "resource_servers" ADD CONSTRAINT "resource_servers_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "resource_server_clients" ADD CONSTRAINT "resource_server_clients_resource_server_id_fkey" FOREIGN KEY ("resource_server_id") REFERENCES "resource_servers"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "resource_server_clients" ADD CONSTRAINT "resource_server_clients_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "clients"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "authorization_details_types" ADD CONSTRAINT "authorization_details_types_resource_server_id_fkey" FOREIGN KEY ("resource_server_id") REFERENCES "resource_servers"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What was registered before goes on: whoever may ask for it for themselves still may.
UPDATE "resource_servers" SET "client_access" = 'any';
ALTER TABLE "resource_servers" ADD CONSTRAINT "resource_servers_client_access_check" CHECK ("client_access" IN ('any', 'listed'));
ALTER TABLE "resource_servers" ADD CONSTRAINT "resource_servers_user_access_check" CHECK ("user_access" IN ('any', 'listed'));
