-- What people granted one client is looked up before somebody takes the client over.
CREATE INDEX IF NOT EXISTS "oidc_artifacts_granted_client_id_idx" ON "oidc_artifacts"("client_id") WHERE "kind" = 'Grant';
