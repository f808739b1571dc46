-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "security_profile" TEXT;

-- CheckConstraint
ALTER TABLE "clients" ADD CONSTRAINT "clients_security_profile_check" CHECK ("security_profile" IN ('fapi2', 'fapi2_message_signing'));
