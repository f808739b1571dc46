-- DropForeignKey
ALTER TABLE "clients" DROP CONSTRAINT "clients_owner_user_id_fkey";

-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "access_ended_at" TIMESTAMPTZ(3);

-- AddForeignKey
ALTER TABLE "clients" ADD CONSTRAINT "clients_owner_user_id_fkey" FOREIGN KEY ("owner_user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
