# A second client of JSON:API that knows nothing of Elastane, jsonapi-requests, makes, reads,
# pages through, changes and deletes what API v2 serves. One line of JSON a call.

import json
import os
import sys

import jsonapi_requests
from jsonapi_requests.orm import ApiModel, AttributeField, OrmApi, RelationField

config = {
    "API_ROOT": os.environ["ELASTICIO_API_URI"].rstrip("/") + "/v2",
    "AUTH": (os.environ["ADA_KEY"], ""),
    # A loaded machine is slow, and a repeated POST would make two objects.
    "TIMEOUT": 60,
    "RETRIES": 1,
}
plain = jsonapi_requests.Api.config(config)
orm = OrmApi.config(config)


class User(ApiModel):
    class Meta:
        type = "user"
        api = orm
        path = "users"

    email = AttributeField("email")


class Team(ApiModel):
    class Meta:
        type = "team"
        api = orm
        path = "teams"

    name = AttributeField("name")
    users = RelationField("users")


class Lookup(ApiModel):
    class Meta:
        type = "lookup"
        api = orm
        path = "lookups"

    title = AttributeField("title")
    table = AttributeField("data")
    user = RelationField("user")


class Flow(ApiModel):
    class Meta:
        type = "flow"
        api = orm
        path = "flows"

    name = AttributeField("name")
    kind = AttributeField("type")
    graph = AttributeField("graph")
    status = AttributeField("status")


GRAPH = {
    "nodes": [
        {"id": "step_1", "command": "elasticio/timer:timer"},
        {"id": "step_2", "command": "elasticio/debug:log"},
    ],
    "edges": [{"source": "step_1", "target": "step_2"}],
}


def call(name, run):
    """Runs a call and prints its line; one that goes wrong ends the run."""
    try:
        result = run()
    except Exception as fault:
        told = f"{type(fault).__name__}: {getattr(fault, 'content', fault)}"
        print(json.dumps({"call": name, "ok": False, "fault": told}))
        sys.exit(1)
    print(json.dumps({"call": name, "ok": True}))
    return result


def same(found, wanted):
    if found != wanted:
        raise AssertionError(f"{found!r} is not {wanted!r}")


def make(model, **values):
    made = model()
    for name, value in values.items():
        setattr(made, name, value)
    made.save()
    if not made.id:
        raise AssertionError("it has no id")
    return made


me = call("read the own user", lambda: User.from_response_content(
    plain.endpoint("users/me").get().content))

teams = call("make two teams", lambda: [make(Team, name=name) for name in ("first", "second")])


def read_team():
    team = Team.from_id(teams[0].id)
    same(team.name, "first")
    same([user.id for user in team.users], [me.id])
    same(team.users[0].email, me.email)


call("read a team, and its member through the relationship", read_team)


def page_teams():
    answer = plain.endpoint("teams").get(params={"page[size]": 1, "page[number]": 2})
    same([team.id for team in answer.data], [teams[1].id])
    same(answer.payload["meta"], {"page": 2, "per_page": 1, "total": 2, "total_pages": 2})


call("page through the teams", page_teams)


def change_team():
    team = Team.from_id(teams[0].id)
    team.refresh()
    team.name = "renamed"
    team.save()
    same(Team.from_id(teams[0].id).name, "renamed")


call("change a team", change_team)

lookup = call("make a lookup table", lambda: make(Lookup, title="Countries", table={"de": "Germany"}))


def change_lookup():
    read = Lookup.from_id(lookup.id)
    same(read.table, {"de": "Germany"})
    same(read.user.id, me.id)
    read.title = "Lands"
    read.save()
    same([found.title for found in Lookup.get_list()], ["Lands"])


call("read and change it", change_lookup)

flow = call("make a flow", lambda: make(Flow, name="Heartbeat", kind="ordinary", graph=GRAPH))


def change_flow():
    read = Flow.from_id(flow.id)
    same((read.name, read.status, read.graph["nodes"]), ("Heartbeat", "inactive", GRAPH["nodes"]))
    read.name = "Pulse"
    read.save()
    same([found.name for found in Flow.get_list(params={"filter[status]": "inactive"})], ["Pulse"])


call("read, change and list it", change_flow)


def read_components():
    answer = plain.endpoint("components").get(params={"filter[access]": "public"})
    named = {component.attributes["name"]: component for component in answer.data}
    version = named["timer"].relationships["latest_version"].data.id
    kinds = {(one["type"], one["id"]) for one in answer.payload["included"]}
    if ("version", version) not in kinds or ("descriptor", version) not in kinds:
        raise AssertionError("what is included is not all there")


call("read components with what they include", read_components)


def refused():
    try:
        plain.endpoint("teams").post(object=jsonapi_requests.JsonApiObject(type="flow"))
    except jsonapi_requests.request_factory.ApiClientError as fault:
        same(fault.status_code, 409)
        same(json.loads(fault.content)["errors"][0]["source"], {"pointer": "/data/type"})
    else:
        raise AssertionError("it was accepted")


call("hear of a fault by its place", refused)


def delete():
    for one in (flow, lookup, *teams):
        one.delete()
        same(type(one).exists(one.id), False)
    same((Team.get_list(), Lookup.get_list(), Flow.get_list()), ([], [], []))


call("delete all of them", delete)

print(json.dumps({"call": "all calls", "ok": True}))
