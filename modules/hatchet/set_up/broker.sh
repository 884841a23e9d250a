# Gives a broker of Amazon MQ the password that is stored, in place of the one that it was made with.
umask 077
# user PASSWORD [OPTIONS]: asks the broker about its user, or changes it; the answer's status. A password stands in no
# command line.
user() {
  printf 'user = "%s:%s"\n' "$BROKER_USER" "$1" > /setup/curl
  shift
  curl --config /setup/curl --silent --show-error --max-time 10 --output /dev/null --write-out '%{http_code}' "$@" \
    "$BROKER_API/users/$BROKER_USER" || :
}

replaced() {
  printf '{"password": "%s", "tags": "administrator"}' "$BROKER_PASSWORD" > /setup/broker.json
  user "$BROKER_FIRST_PASSWORD" --request PUT --header 'Content-Type: application/json' --data @/setup/broker.json
}

if [ -n "${BROKER_API-}" ]; then
  tries=0
  until taken=$(user "$BROKER_PASSWORD"); [ "$taken" = 200 ]; do
    if [ "$taken" = 401 ]; then
      case $(replaced) in
        2*) echo 'The broker has its password.'; continue ;;
        401) echo 'The broker takes neither the stored password nor its first one.' >&2; exit 1 ;;
      esac
    fi
    tries=$((tries + 1))
    [ "$tries" -lt 36 ] || { echo 'The broker cannot be reached.' >&2; exit 1; }
    sleep 5
  done
  rm -f /setup/curl /setup/broker.json
fi
