# Stores a token that was made, and starts the workers anew with it; then nothing secret is left on the disk.
umask 077
if [ -s /setup/token.new ]; then
  printf %s "$(cat /setup/token.new)" > /setup/token
  aws secretsmanager put-secret-value --secret-id "$TOKEN_SECRET" --secret-string file:///setup/token > /dev/null
  echo 'The client token is stored.'
fi
rm -rf /setup/new /setup/token /setup/token.new

# The version of the token that the workers were started anew for bears a mark: where a set-up was cut off before,
# the next one does it.
version() {
  aws secretsmanager list-secret-version-ids --secret-id "$TOKEN_SECRET" --output text \
    --query "Versions[?contains(VersionStages, '$1')].VersionId | [0]"
}
current=$(version AWSCURRENT)
rolled=$(version WORKERS_ROLLED)
[ "$current" != "$rolled" ] || exit 0
services=$(aws ecs list-services --cluster "$WORKERS_CLUSTER" --query 'serviceArns[]' --output text 2> /setup/answer) \
  || { grep -q ClusterNotFoundException /setup/answer || { cat /setup/answer >&2; exit 1; }; services=; }
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
