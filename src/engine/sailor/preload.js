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
