# Beside the last step: starts the workers anew once the engine has the token's addresses, if that was not done before.
STEP=workers
until served; do
  sleep 5
done
roll
