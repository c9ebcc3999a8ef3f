"""Speaks with the endpoint by pika, which shares no code with amqplib."""

import os

import pika

host, port = os.environ["AMQP_HOST"].split(":")
user, password = os.environ["AMQP_USER"], os.environ["AMQP_PASSWORD"]


def connect(secret=password):
    return pika.BlockingConnection(
        pika.ConnectionParameters(
            host=host, port=int(port), credentials=pika.PlainCredentials(user, secret)
        )
    )


connection = connect()
channel = connection.channel()
channel.confirm_delivery()
bodies = [b"one", b"two" * 100_000, b"", b"four"]
for nth, body in enumerate(bodies):
    headers = {"nth": nth, "text": "Grüße", "yes": True, "list": [1, None], "map": {"a": 1}}
    properties = pika.BasicProperties(
        content_type="text/plain", headers=headers, delivery_mode=2, message_id="id", priority=3,
        correlation_id="c", reply_to="r", timestamp=12, type="t", app_id="a",
    )
    channel.basic_publish("exchange", "pika", body, properties)

channel.basic_qos(prefetch_count=3)
got = list()
for method, properties, body in channel.consume("pika", inactivity_timeout=10):
    assert method is not None, "a message should have come"
    got.append(body)
    assert properties.headers == {
        "nth": len(got) - 1, "text": "Grüße", "yes": True, "list": [1, None], "map": {"a": 1},
    }, properties.headers
    assert properties.message_id == "id" and properties.content_type == "text/plain"
    if len(got) == 3:
        channel.basic_ack(method.delivery_tag, multiple=True)
    elif len(got) == 4:
        channel.basic_nack(method.delivery_tag, requeue=True)
        break
assert got == bodies
channel.cancel()

other = connect()
again = other.channel()
for method, properties, body in again.consume("pika", inactivity_timeout=10):
    assert body == b"four" and method.redelivered, (body, method)
    again.basic_ack(method.delivery_tag)
    break
other.close()

try:
    channel.basic_publish("exchange", "refused", b"x")
    raise SystemExit("a refused message was confirmed")
except pika.exceptions.NackError:
    pass

try:
    channel.basic_ack(4711)
    channel.basic_qos(prefetch_count=1)
    raise SystemExit("an unknown tag was acknowledged")
except pika.exceptions.ChannelClosedByBroker as closed:
    assert closed.reply_code == 406, closed

try:
    connect("wrong")
    raise SystemExit("a wrong password was let in")
except pika.exceptions.ProbableAuthenticationError:
    pass

connection.channel().close()
connection.close()
print("ok")
