-- AlterTable
ALTER TABLE "clients" ADD COLUMN     "security_profile" TEXT;

-- CheckConstraint
ALTER TABLE "clients" ADD CONSTRAINT "clients_security_profile_check" CHECK ("security_profile" IN ('fapi2', 'fapi2_message_signing'));
ALTER TABLE "signing_keys" DROP CONSTRAINT "signing_keys_algorithm_check";
ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_algorithm_check" CHECK ("algorithm" IN ('RS256', 'PS256', 'ES256', 'EdDSA', 'RSA-OAEP-256', 'ECDH-ES'));
