#!/bin/sh
# Writes the secrets that compose.yaml needs to `.env` beside it, once: sh infra/compose/init.sh https://messaging.example.com
set -eu
umask 077

address="${1:-}"
file="$(dirname "$0")/.env"
case "$address" in
https://*) ;;
*)
  echo "Say under which address the house will be reached: sh infra/compose/init.sh https://messaging.example.com" >&2
  exit 1
  ;;
esac
if [ -e "$file" ]; then
  echo "$file is there already and was left alone: a new master key could not open what the old one sealed." >&2
  exit 1
fi
random() { openssl rand "$@"; }
cat >"$file" <<END
PUBLIC_URL=${address%/}
POSTGRES_PASSWORD=$(random -hex 24)
NATS_TOKEN=nats_$(random -hex 24)
THIKAA_MASTER_KEY=k1:$(random -base64 32)
THIKAA_ADMIN_TOKEN=$(random -hex 32)
END
echo "Wrote $file. Keep a copy of THIKAA_MASTER_KEY in a safe place: without it nothing sealed can be opened."
