-- Makes the role of compose.yaml, which owns its database and nothing else. Run once by the image of PostgreSQL, on an empty volume.
-- The superuser loses the password, and comes in from its container alone: docker compose exec postgres psql -U postgres
\getenv password POSTGRES_PASSWORD
CREATE ROLE authy2 LOGIN PASSWORD :'password';
CREATE DATABASE authy2 OWNER authy2 ENCODING 'UTF8' TEMPLATE template0;
ALTER ROLE postgres PASSWORD NULL;
