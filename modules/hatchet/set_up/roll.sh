# Starts the workers anew with the token that is stored.
version() {
  aws secretsmanager list-secret-version-ids --secret-id "$TOKEN_SECRET" --output text \
    --query "Versions[?contains(VersionStages, '$1')].VersionId | [0]"
}

# served: whether the engine and its API run with the addresses that the token names, and nothing of them besides.
served() {
  for part in engine api; do
    found=$(aws ecs describe-services --cluster "$CLUSTER" --services "$part" --output text \
      --query "services[?status=='ACTIVE'] | [0].[taskDefinition, length(deployments || \`[]\`)]")
    set -- $found
    [ "${2-}" = 1 ] || return 1
    for name in SERVER_URL SERVER_GRPC_BROADCAST_ADDRESS; do
      value=$(aws ecs describe-task-definition --task-definition "$1" --output text \
        --query "taskDefinition.containerDefinitions[0].environment[?name=='$name'].value | [0]")
      [ "$value" = "$(printenv "$name")" ] || return 1
    done
  done
}

# The version of the token that the workers were started anew for bears a mark: where a set-up was cut off before,
# the next one does it.
roll() {
  current=$(version AWSCURRENT)
  rolled=$(version WORKERS_ROLLED)
  [ "$current" != "$rolled" ] || return 0
  services=$(aws ecs list-services --cluster "$WORKERS_CLUSTER" --query 'serviceArns[]' --output text 2> "/setup/answer.$STEP") \
    || { grep -q ClusterNotFoundException "/setup/answer.$STEP" || { cat "/setup/answer.$STEP" >&2; exit 1; }; services=; }
  for service in $services; do
    aws ecs update-service --cluster "$WORKERS_CLUSTER" --service "$service" --force-new-deployment > /dev/null
    echo "$service starts anew with it."
  done
  if [ "$rolled" = None ]; then
    aws secretsmanager update-secret-version-stage --secret-id "$TOKEN_SECRET" --version-stage WORKERS_ROLLED \
      --move-to-version-id "$current" > /dev/null
  else
    aws secretsmanager update-secret-version-stage --secret-id "$TOKEN_SECRET" --version-stage WORKERS_ROLLED \
      --move-to-version-id "$current" --remove-from-version-id "$rolled" > /dev/null
  fi
}
