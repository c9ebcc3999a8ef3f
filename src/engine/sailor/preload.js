// The sandbox hides /proc, where Node looks up how much memory it has; sailors ask for
// that when they log an error. What V8 itself knows stands in.
const v8 = require('v8');
const real = process.memoryUsage;
function usage() {
    try {
        return real();
    } catch (hidden) {
        const heap = v8.getHeapStatistics();
        return {
            rss: heap.total_physical_size + heap.external_memory,
            heapTotal: heap.total_heap_size,
            heapUsed: heap.used_heap_size,
            external: heap.external_memory,
            arrayBuffers: 0
        };
    }
}
process.memoryUsage = Object.assign(usage, { rss: () => usage().rss });

// Where there is no network the server's own ports are sockets in a folder.
const [folder, ...ports] = (process.env.ELASTANE_DOORS || '').split('|');
if (folder) {
    const { Socket } = require('net');
    const connect = Socket.prototype.connect;
    Socket.prototype.connect = function (...args) {
        const isNormal = Array.isArray(args[0]);
        const options = isNormal ? args[0][0] : args[0];
        if (options && ports.includes(String(options.port)) && !options.path) {
            const path = `${folder}/.port-${options.port}`;
            const done = isNormal ? args[0][1] : args[1];
            return connect.call(this, { ...options, path }, done || undefined);
        }
        return connect.apply(this, args);
    };
}

// A message of several pieces would wait 40 ms for an acknowledgement of the first, since
// clients of AMQP leave Nagle's algorithm on.
{
    const { Socket } = require('net');
    const { port } = new URL(process.env.ELASTICIO_AMQP_URI || 'amqp://none');
    const { connect } = Socket.prototype;
    Socket.prototype.connect = function (...args) {
        const [first] = Array.isArray(args[0]) ? args[0] : args;
        if (port && first && String(first.port || first) === port) this.setNoDelay(true);
        return connect.apply(this, args);
    };
}
