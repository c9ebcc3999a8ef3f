// Speaks with the endpoint as a sailor does: two connections, one to read and one to
// write with confirms. A check that fails ends the program with its reason.
import assert from "node:assert/strict";
import amqp from "amqplib";

const [host, user, password] = [process.env.AMQP_HOST, process.env.AMQP_USER, process.env.AMQP_PASSWORD];
const uri = `amqp://${user}:${password}@${host}?heartbeat=0`;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(isSo, what) {
  for (let turn = 0; turn < 500; turn += 1) {
    if (isSo()) return;
    await wait(20);
  }
  assert.fail(`waited for ${what}`);
}

async function connect() {
  const connection = await amqp.connect(uri);
  connection.on("error", () => {});
  return connection;
}

// Messages arrive whole, in order, with their headers, one at a time.
const write = await connect();
const publisher = await write.createConfirmChannel();
const large = "ü".repeat(200_000);
const headers = { messageId: "m-1", retry: true, start: 1_700_000_000_000, rate: 0.5, nothing: null, list: [1, "a"], inner: { deep: { er: "yes" } } };
for (const [nth, body] of ["first", large, ""].entries()) {
  const options = { contentType: "application/json", contentEncoding: "utf8", deliveryMode: 2, mandatory: true, expiration: "600", headers: { ...headers, nth } };
  await new Promise((done, failed) =>
    publisher.publish("exchange", "work", Buffer.from(body), options, (error) => (error ? failed(error) : done())));
}
const read = await connect();
const consumer = await read.createChannel();
await consumer.prefetch(1);
const got = [];
const { consumerTag } = await consumer.consume("work", (message) => got.push(message));
await until(() => got.length === 1, "the first message");
await wait(100);
assert.equal(got.length, 1, "no more than the prefetch");
consumer.ack(got[0]);
await until(() => got.length === 2, "the second message");
consumer.reject(got[1], false);
await until(() => got.length === 3, "the third message");
assert.deepEqual(got.map((message) => message.content.toString()), ["first", large, ""]);
for (const [nth, message] of got.entries()) {
  assert.deepEqual(message.properties.headers, { ...headers, nth });
  assert.equal(message.properties.contentType, "application/json");
  assert.equal(message.properties.contentEncoding, "utf8");
  assert.equal(message.properties.deliveryMode, 2);
  assert.equal(message.properties.expiration, "600");
  assert.equal(message.fields.routingKey, "work");
  assert.equal(message.fields.redelivered, false);
}

// A cancelled consumer may still acknowledge what it has.
await consumer.cancel(consumerTag);
consumer.ack(got[2]);
await publisher.publish("exchange", "work", Buffer.from("later"));
await publisher.waitForConfirms();
await consumer.close();

// What a lost connection had goes back.
const lost = await connect();
const losing = await lost.createChannel();
const taken = [];
await losing.consume("work", (message) => taken.push(message));
await until(() => taken.length === 1, "the message to lose");
lost.connection.stream.destroy();
const again = await read.createChannel();
const back = [];
await again.consume("work", (message) => back.push(message));
await until(() => back.length === 1, "the lost message");
assert.equal(back[0].content.toString(), "later");
assert.equal(back[0].fields.redelivered, true);
again.ack(back[0]);

// What the handler does not take over is refused.
await assert.rejects(new Promise((done, failed) =>
  publisher.publish("exchange", "refused", Buffer.from("x"), {}, (error) => (error ? failed(error) : done()))));

// A channel without confirms gets none, and a queue of others closes the channel alone.
const plain = await read.createChannel();
plain.publish("exchange", "plain", Buffer.from("no answer"));
const foreign = await read.createChannel();
foreign.on("error", () => {});
await assert.rejects(foreign.consume("foreign", () => {}), /403/);
assert.ok(await read.createChannel(), "the connection lives");

// What is not served ends the connection with a reason.
const curious = await amqp.connect(uri);
const reasons = [];
curious.on("error", (error) => reasons.push(error.code));
const asking = await curious.createChannel();
asking.on("error", () => {});
await assert.rejects(asking.assertQueue("mine"));
await until(() => reasons.length === 1, "the reason");
assert.equal(reasons[0], 540);
await assert.rejects(amqp.connect(`amqp://${user}:wrong@${host}`), /403|ACCESS_REFUSED/);

await read.close();
await write.close();
console.log(JSON.stringify({ ok: true }));
