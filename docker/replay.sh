#!/usr/bin/env bash
# Replays docker/Dockerfile without a container engine: its instructions are carried out in a bootstrapped Debian root,
# the result is started as the image's user with the embedded database, and then with the environment of
# docker/compose.yaml on Debian's PostgreSQL. Needs root, debootstrap, and npm ci done. Cleans up after itself.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=bookworm

# Mounts, processes and the network of the replay are its own, and end with it.
if [ "${1:-}" != --inside ]; then
  work=$(mktemp -d /var/tmp/gatehouse-replay.XXXXXX)
  trap 'rm -rf --one-file-system "$work"' EXIT
  chmod 755 "$work"
  unshare --mount --pid --fork --kill-child "${BASH_SOURCE[0]}" --inside "$work"
  exit
fi
work=$2

# node:24-slim is Debian, Node with npm in /usr/local, and the user node; this is the same from other sources.
make_base() {
  local root=$work/base node npm
  debootstrap --variant=minbase "$suite" "$root" http://deb.debian.org/debian >"$work/debootstrap.log" \
    || { tail "$work/debootstrap.log"; exit 1; }
  node=$(node --input-type=module -e "
    import { ensureNode24 } from '$here/../scripts/node24.mjs'
    console.log(ensureNode24().node)")
  npm=$(npm root --global)/npm
  install -D "$(readlink -f "$node")" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -a "$npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  chroot "$root" useradd --uid 1000 --user-group --create-home --shell /bin/bash node
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  printf '127.0.0.1 localhost postgres\n' >"$root/etc/hosts"
  if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then install -D "$NODE_EXTRA_CA_CERTS" "$root$NODE_EXTRA_CA_CERTS"; fi
  rm -rf "$root/var/cache/apt/archives"/*.deb
}

postgres_bin() { find /usr/lib/postgresql -name initdb -path '*/bin/*' | sort -V | tail -n 1 | xargs -r dirname; }

# The service postgres of compose.yaml, by Debian's server: its user, its password, its database, TCP.
start_postgres() {
  local bin data=$work/postgres
  bin=$(postgres_bin)
  install -d -o postgres "$data"
  install -o postgres -m 600 <(printf '%s\n' "$POSTGRES_PASSWORD") "$data/password"
  (
    cd /
    runuser -u postgres -- "$bin/initdb" --pgdata="$data/data" --username=gatehouse --auth=scram-sha-256 \
      --pwfile="$data/password" --encoding=UTF8 --locale=C.UTF-8 >/dev/null
    runuser -u postgres -- "$bin/pg_ctl" --pgdata="$data/data" --log="$data/log" --wait \
      --options="-c listen_addresses=127.0.0.1 -c unix_socket_directories=$data" start >/dev/null
    PGPASSWORD=$POSTGRES_PASSWORD "$bin/createdb" --host=127.0.0.1 --username=gatehouse gatehouse
  )
  "$bin/postgres" --version
}

echo "== base: Debian $suite with Node 24"
make_base

echo "== docker/Dockerfile"
npm_config_cache=/tmp/npm-cache npm_config_update_notifier=false node "$here/replay/build.mjs" "$work/base" "$work"
image=$work/image.json
root=$(node -p "require('$image').root")
du -sh "$root/app" | sed "s|$root||"

# Everything from here on happens in a network of its own, where port 4000 is free and the world is away.
in_own_network() { unshare --net bash -c 'ip link set lo up && exec "$@"' bash "$@"; }

echo "== the image alone, embedded database"
in_own_network node "$here/replay/container.mjs" "$image"

echo "== compose.yaml's gateway on PostgreSQL"
find "$root/data" -mindepth 1 -delete
if [ -z "$(postgres_bin)" ]; then
  echo "no PostgreSQL on this machine (apt-get install postgresql): not tried"
  exit
fi
export POSTGRES_PASSWORD=replay0password GATEHOUSE_MASTER_KEY
GATEHOUSE_MASTER_KEY=$(head -c 32 /dev/urandom | base64)
environment=$(node "$here/replay/compose-env.mjs")
export -f start_postgres postgres_bin
in_own_network env here="$here" work="$work" image="$image" environment="$environment" bash -ec '
  start_postgres
  node "$here/replay/container.mjs" "$image" "$environment"
'
