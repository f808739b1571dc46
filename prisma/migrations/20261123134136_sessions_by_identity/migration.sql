-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "confined_to" UUID,
ADD COLUMN     "identity_id" UUID;
