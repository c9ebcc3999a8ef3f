#!/bin/sh
# Starts RabbitMQ of Debian on a port of loopback, over a folder of its own. Install it
# first: `apt-get install --no-install-recommends rabbitmq-server`.
# Usage: start.sh PORT FOLDER
set -eu
port=$1
folder=$2
mkdir -p "$folder"
# The cookie of Erlang, and everything else, stays in the folder.
export HOME="$folder"
export ERL_EPMD_PORT=$((port + 1))
export ERL_EPMD_ADDRESS=127.0.0.1
# So that whoever started it may end it.
export ERL_EPMD_RELAXED_COMMAND_CHECK=1
export RABBITMQ_NODENAME="elastane@localhost"
export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
export RABBITMQ_NODE_PORT="$port"
export RABBITMQ_DIST_PORT=$((port + 2))
export RABBITMQ_MNESIA_BASE="$folder/mnesia"
export RABBITMQ_LOG_BASE="$folder/log"
export RABBITMQ_LOGS="$folder/log/rabbit.log"
export RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins"
export RABBITMQ_CONFIG_FILE="$folder/none"
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
exec /usr/lib/rabbitmq/bin/rabbitmq-server
