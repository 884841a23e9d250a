# Stores a token that was made, and starts the workers anew with it; then nothing secret is left on the disk.
umask 077
STEP=token
if [ -s /setup/token.new ]; then
  printf %s "$(cat /setup/token.new)" > /setup/token
  aws secretsmanager put-secret-value --secret-id "$TOKEN_SECRET" --secret-string file:///setup/token > /dev/null
  echo 'The client token is stored.'
fi
rm -rf /setup/new /setup/token /setup/token.new
if served; then
  roll
else
  echo 'The engine does not have the addresses of this token yet: the workers start anew once it has.'
fi
