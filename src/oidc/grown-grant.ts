// A grant that is kept again: it grows, and what requests of the same moment gave it stays.

// The words of two lists, each once, in their order; NULL of none.
const words = (one: string, other: string) => `(SELECT string_agg(word, ' ' ORDER BY at) FROM (
  SELECT word, min(at) AS at FROM unnest(string_to_array(concat_ws(' ', ${one}, ${other}), ' ')) WITH ORDINALITY AS given(word, at) WHERE word <> '' GROUP BY word) found)`

/**
 * The payload of a grant as it is to be kept over the one that is there: `openid` and `resources` hold what either holds. Nobody takes a
 * scope out of a grant, it is ended whole: so of requests that read it together and write it one after the other none loses what it was given.
 */
export const grown = (old: string, given: string) => `(${given}::jsonb
  || CASE WHEN coalesce(${old}::jsonb -> 'openid', ${given}::jsonb -> 'openid') IS NULL THEN '{}' ELSE jsonb_build_object('openid', jsonb_strip_nulls(jsonb_build_object(
    'scope', ${words(`${old}::jsonb #>> '{openid,scope}'`, `${given}::jsonb #>> '{openid,scope}'`)},
    'claims', (SELECT jsonb_agg(DISTINCT claim) FROM jsonb_array_elements(
      coalesce(${old}::jsonb #> '{openid,claims}', '[]') || coalesce(${given}::jsonb #> '{openid,claims}', '[]')) claim)))) END
  || CASE WHEN coalesce(${old}::jsonb -> 'resources', ${given}::jsonb -> 'resources') IS NULL THEN '{}' ELSE jsonb_build_object('resources', (
    SELECT jsonb_object_agg(resource, ${words(`${old}::jsonb -> 'resources' ->> resource`, `${given}::jsonb -> 'resources' ->> resource`)})
    FROM jsonb_object_keys(coalesce(${old}::jsonb -> 'resources', '{}') || coalesce(${given}::jsonb -> 'resources', '{}')) resource)) END)::json`
