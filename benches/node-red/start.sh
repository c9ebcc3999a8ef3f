#!/bin/sh
# Starts Node-RED, pinned by package-lock.json, with the flows of the benchmark on a
# port of loopback. Installs it first where it is missing; needs Node.js 18.5 or later
# with npm. Usage: start.sh [PORT [FOLDER]]
#
#   curl -X POST http://127.0.0.1:1880/map -H 'Content-Type: application/json' -d @order.json
#   curl -X POST http://127.0.0.1:1880/burst
#
# What it takes: `ps -o rss= -p PID` in KiB, or VmRSS of /proc/PID/status.
set -eu
port=${1:-1880}
here=$(cd "$(dirname "$0")" && pwd)
# Node-RED writes a few files of its own beside the flows that it reads.
folder=${2:-${TMPDIR:-/tmp}/elastane-node-red-$port}
if [ ! -e "$here/node_modules/.package-lock.json" ]; then
  npm ci --prefix "$here" --omit=dev --ignore-scripts --no-audit --no-fund >&2
fi
mkdir -p "$folder"
[ -e "$folder/package.json" ] || echo '{}' > "$folder/package.json"
export NODE_ENV=production
exec node "$here/node_modules/node-red/red.js" --settings "$here/settings.js" \
  --userDir "$folder" --port "$port" "$here/flows.json"
