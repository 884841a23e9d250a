# Keeps what is stored in Secrets Manager, and stores what was drawn where nothing is.
umask 077
fail() { cat /setup/answer >&2; exit 1; }
is() { grep -q "$1" /setup/answer; }

# stored SECRET FILE: the secret's value; fails where it has none.
stored() {
  aws secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text > "$2" 2> /setup/answer
}

# keep SECRET FILE: the file's content becomes the secret's first value, or the secret's value the file's content.
keep() {
  if ! stored "$1" /setup/stored; then
    is ResourceNotFoundException || fail
    # Of two set-ups at once the second is refused, since both name the version alike, and takes what the first stored.
    aws secretsmanager put-secret-value --secret-id "$1" --client-request-token "$FIRST_VERSION" \
      --secret-string "file://$2" > /dev/null 2> /setup/answer || is ResourceExistsException || fail
    stored "$1" /setup/stored || fail
  fi
  mv /setup/stored "$2"
}

keep "$KEYS_SECRET" /setup/new/keys.json
keep "$ADMIN_SECRET" /setup/new/admin.json
stored "$TOKEN_SECRET" /setup/token || { is ResourceNotFoundException || fail; : > /setup/token; }

# Have all workers been started since the token was stored? Then those before it are of no use any more.
rolled=$(aws secretsmanager list-secret-version-ids --secret-id "$TOKEN_SECRET" --output text --query \
  "length(Versions[?contains(VersionStages, 'AWSCURRENT') && contains(VersionStages, 'WORKERS_ROLLED')])")
[ "$rolled" = 1 ] || exit 0
services=$(aws ecs list-services --cluster "$WORKERS_CLUSTER" --query 'serviceArns[]' --output text 2> /setup/answer) \
  || { is ClusterNotFoundException || fail; services=; }
for service in $services; do
  deployments=$(aws ecs describe-services --cluster "$WORKERS_CLUSTER" --services "$service" \
    --query 'length(services[0].deployments)' --output text)
  [ "$deployments" = 1 ] || { echo "$service is still being deployed: the tokens before stay valid"; exit 0; }
done
touch /setup/rolled
