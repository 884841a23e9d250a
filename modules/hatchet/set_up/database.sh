# Migrates the database, makes the first user and tenant, and a client token where none is valid for long enough:
# all under a lock, so that no two migrations ever run at once.
umask 077
cat > /setup/locked.sh <<'END'
# load FILE NAME...: exports values of a JSON object. What is stored is text, whoever stored it: no command, and no
# variable beside those that are named.
load() {
  file=$1; shift
  for name; do
    export "$name=$(tr '{},' '\n\n\n' < "$file" | sed -n "s/^ *\"$name\": *\"\([^\"]*\)\" *$/\1/p")"
  done
}
query() { psql "$DATABASE_URL" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1; }

/setup/hatchet-migrate
load /setup/new/admin.json ADMIN_EMAIL ADMIN_PASSWORD
/setup/hatchet-admin seed

# The stored token's id, if the engine takes it and goes on to for long enough.
kept=
if grep -q '^ey[^.]*\.[^.]*\.[^.]*$' /setup/token; then
  kept=$(query <<SQL
\set token \`cat /setup/token\`
\set url \`printenv SERVER_URL\`
\set address \`printenv SERVER_GRPC_BROADCAST_ADDRESS\`
WITH part AS (SELECT translate(split_part(:'token', '.', 2), '-_', '+/') AS base64),
claims AS (
  SELECT convert_from(decode(base64 || repeat('=', (4 - length(base64) % 4) % 4), 'base64'), 'UTF8')::json AS claim
  FROM part WHERE base64 <> ''
)
SELECT id FROM claims JOIN "APIToken" ON id::text = claim ->> 'token_id'
WHERE NOT revoked AND "expiresAt" > now() AT TIME ZONE 'UTC' + interval '$RENEW_BEFORE'
  AND claim ->> 'server_url' = :'url' AND claim ->> 'grpc_broadcast_address' = :'address';
SQL
  ) || kept=
fi

if [ -z "$kept" ] || [ -n "$ROTATE" ]; then
  load /setup/new/keys.json SERVER_AUTH_COOKIE_SECRETS SERVER_ENCRYPTION_JWT_PRIVATE_KEYSET \
    SERVER_ENCRYPTION_JWT_PUBLIC_KEYSET SERVER_ENCRYPTION_MASTER_KEYSET
  /setup/hatchet-admin token create --name "$TOKEN_NAME" --expiresIn "$TOKEN_LIFE" > /setup/token.new
  echo 'A client token is made.'
elif [ -e /setup/rolled ]; then
  # Older ones alone: another set-up may have stored a newer token since this one read what was stored, and workers use it.
  query <<SQL
UPDATE "APIToken" SET revoked = true WHERE name = '$TOKEN_NAME' AND NOT revoked
  AND "createdAt" < (SELECT "createdAt" FROM "APIToken" WHERE id = '$kept');
SQL
fi
END

printf '%s\n' "$DATABASE_CERTIFICATE" > /setup/database.pem
# Where packets are dropped, an attempt would take minutes.
PGCONNECT_TIMEOUT=5; export PGCONNECT_TIMEOUT
tries=0
until psql "$DATABASE_URL" --no-psqlrc --quiet --command 'SELECT' > /dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 36 ] || { echo 'The database cannot be reached.' >&2; exit 1; }
  sleep 5
done
# The lock is this session's, and ends with it however it ends. It is asked for again and again: a session that waits
# for it is in a transaction, and a migration's CREATE INDEX CONCURRENTLY waits for the end of all transactions.
while [ ! -e /setup/ended ]; do
  psql "$DATABASE_URL" --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<SQL
SELECT pg_try_advisory_lock($LOCK) AS mine \gset
\if :mine
  \! sh -eu /setup/locked.sh < /dev/null && touch /setup/done; touch /setup/ended
\endif
SQL
  [ -e /setup/ended ] || sleep 5
done
[ -e /setup/done ]
