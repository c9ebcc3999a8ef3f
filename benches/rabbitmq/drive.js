// Drives one sailor step on RabbitMQ, and prints what that took as a line of JSON.
// Usage: node drive.js AMQP_URI COMPONENT_FOLDER MESSAGES PREFETCH PERSISTENT BROKER_PID
const [uri, folder, count, prefetch, persistent, broker] = process.argv.slice(2);
const fs = require('fs');
const http = require('http');
const crypto = require('crypto');
const { spawn } = require('child_process');
const amqp = require(`${folder}/node_modules/amqplib`);

const password = 'a password of the benchmark';
const iv = '0123456789abcdef';
const key = crypto.createHash('sha256').update(password).digest();
const seal = (value) => {
    const cipher = crypto.createCipheriv('aes-256-cbc', key, iv);
    return Buffer.from(cipher.update(JSON.stringify(value), 'utf8', 'base64') + cipher.final('base64'));
};

// Seconds that a process has spent on the cores.
const cpu = (pid) => {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13);
    return (Number(user) + Number(system)) / 100;
};
const seconds = () => Number(process.hrtime.bigint()) / 1e9;

async function main() {
    const connection = await amqp.connect(uri);
    const channel = await connection.createConfirmChannel();
    await channel.assertExchange('bench', 'topic', { durable: true });
    for (const name of ['in', 'out', 'error', 'rebound', 'snapshot']) {
        await channel.assertQueue(name, { durable: true });
        await channel.purgeQueue(name);
        await channel.bindQueue(name, 'bench', name);
    }
    const api = http.createServer((request, answer) => {
        answer.setHeader('content-type', 'application/json');
        answer.end(JSON.stringify({ config: {}, snapshot: {}, is_passthrough: true }));
    });
    await new Promise((done) => api.listen(0, '127.0.0.1', done));
    let left = 0;
    let over = () => {};
    await channel.consume('out', () => { if (--left === 0) over(); }, { noAck: true });
    await channel.consume('error', (message) => {
        console.error(message.content.toString());
        process.exit(1);
    }, { noAck: true });
    const send = async (messages) => {
        left = messages;
        const done = new Promise((heard) => { over = heard; });
        const began = seconds();
        for (let nth = 0; nth < messages; nth++) {
            const headers = {
                messageId: crypto.randomUUID(), threadId: 'run', execId: 'run', taskId: 'flow',
                userId: 'user', protocolVersion: 1,
            };
            channel.publish('bench', 'in', seal({ body: { n: nth }, headers: {}, passthrough: {} }), {
                headers, persistent: persistent === 'true', contentType: 'application/json',
            });
        }
        await channel.waitForConfirms();
        await done;
        return seconds() - began;
    };
    const began = seconds();
    const sailor = spawn('node', ['./node_modules/elasticio-sailor-nodejs/run.js'], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
            PATH: process.env.PATH, HOME: folder, NODE_ENV: 'production', LOG_LEVEL: 'info',
            ELASTICIO_FLOW_ID: 'flow', ELASTICIO_TASK_ID: 'flow', ELASTICIO_EXEC_ID: 'run',
            ELASTICIO_STEP_ID: 'step', ELASTICIO_CONTAINER_ID: 'container',
            ELASTICIO_WORKSPACE_ID: 'workspace', ELASTICIO_USER_ID: 'user',
            ELASTICIO_COMP_ID: 'component', ELASTICIO_FUNCTION: 'act',
            ELASTICIO_API_URI: `http://127.0.0.1:${api.address().port}`,
            ELASTICIO_API_USERNAME: 'task-flow', ELASTICIO_API_KEY: 'key',
            ELASTICIO_AMQP_URI: uri, ELASTICIO_LISTEN_MESSAGES_ON: 'in',
            ELASTICIO_PUBLISH_MESSAGES_TO: 'bench', ELASTICIO_DATA_ROUTING_KEY: 'out',
            ELASTICIO_ERROR_ROUTING_KEY: 'error', ELASTICIO_REBOUND_ROUTING_KEY: 'rebound',
            ELASTICIO_SNAPSHOT_ROUTING_KEY: 'snapshot', ELASTICIO_MESSAGE_CRYPTO_IV: iv,
            ELASTICIO_MESSAGE_CRYPTO_PASSWORD: password,
            ELASTICIO_RABBITMQ_PREFETCH_SAILOR: prefetch,
            ELASTICIO_AMQP_PERSISTENT_MESSAGES: persistent,
            // As the server under test sets it.
            ELASTICIO_DATA_RATE_LIMIT: '1000',
        },
    });
    // Its log is read, as any platform reads it.
    sailor.stdout.resume();
    await send(1);
    const start = seconds() - began;
    // V8 compiles what is hot.
    await send(200);
    const before = { broker: cpu(broker), sailor: cpu(sailor.pid) };
    const took = await send(Number(count));
    console.log(JSON.stringify({
        start_ms: start * 1000,
        per_s: Number(count) / took,
        broker_cpu_s: cpu(broker) - before.broker,
        sailor_cpu_s: cpu(sailor.pid) - before.sailor,
    }));
    sailor.kill('SIGKILL');
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
