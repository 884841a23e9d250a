#!/bin/sh
# Installs what a repository's experiments need into $UV_PROJECT_ENVIRONMENT, and what scythe-engine imports without
# declaring it. Run by Dockerfile.worker in a folder that has the repository's own files alone.
#
# A uv.lock is installed as it is: its versions, its hashes, its indexes. $EXTRAS: optional dependencies, apart by spaces.
set -eu
ours=${0%/*}
extras=
for extra in ${EXTRAS:-}; do extras="$extras --extra $extra"; done
python=$UV_PROJECT_ENVIRONMENT/bin/python

if [ -f uv.lock ]; then
  # shellcheck disable=SC2086  # words of their own
  uv sync --quiet --frozen --no-dev --no-install-project --no-editable $extras
elif [ -f requirements.txt ]; then
  uv pip install --quiet --python "$python" --requirement requirements.txt
else
  # shellcheck disable=SC2086
  uv pip install --quiet --python "$python" --requirement pyproject.toml $extras
fi

# What is there already, in whatever version, stays.
"$python" "$ours/check.py" --missing "$ours/undeclared.txt" > missing.txt
if [ -s missing.txt ]; then
  uv pip install --quiet --python "$python" --no-deps --require-hashes --requirement missing.txt
fi
"$python" "$ours/check.py"
