-- The first role that matches counts, and an object does not keep the order of its keys.
UPDATE "connections" SET "membership" = jsonb_set("membership"::jsonb, '{roles}', (
  SELECT coalesce(jsonb_agg(jsonb_build_object('value', "given"."key", 'role', "given"."value") ORDER BY "given"."ordinality"), '[]')
  FROM json_each_text("membership"->'roles') WITH ORDINALITY AS "given"
))::json WHERE json_typeof("membership"->'roles') = 'object';
