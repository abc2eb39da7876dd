"""The manners of the simulated servers on the wire."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Callable

from sandbox.process import Stack
from tests.sandbox.play import Client, library

Play = Callable[..., Stack]


def test_no_key_is_an_empty_401(play: Play) -> None:
    client = Client(play(library())["sonarr"])
    for headers in ({"X-Api-Key": "wrong"}, {"X-Api-Key": ""}):
        status, answer, body = client.send("GET", "/api/v3/tag", headers=headers)
        assert (status, body) == (401, b"")
        assert "X-Application-Version" not in answer


def test_key_in_the_query_beats_the_header(play: Play) -> None:
    client = Client(play(library())["sonarr"])
    assert client.send("GET", "/api/v3/tag?apikey=wrong")[0] == 401
    assert client.send("GET", f"/api/v3/tag?apikey={client.handle.api_key}", headers={"X-Api-Key": "x"})[0] == 200
    bearer = {"X-Api-Key": "", "Authorization": f"Bearer {client.handle.api_key}"}
    assert client.send("GET", "/api/v3/tag", headers=bearer)[0] == 401


def test_unacceptable_answer_comes_after_the_deed(play: Play) -> None:
    client = Client(play(library())["sonarr"])
    status, _, body = client.send("POST", "/api/v3/tag", {"label": "done"}, {"Accept": "text/html"})
    assert (status, body) == (406, b"")
    assert [t["label"] for t in client.get("/tag")] == ["done"]


def test_answers_are_compressed_when_asked_for(play: Play) -> None:
    client = Client(play({**library(), "seed": {}, "rows": {"series": 100, "rootFolders": ["/data/a/tv"]}})["sonarr"])
    _, headers, _ = client.send("GET", "/api/v3/tag", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in headers
    connection = http.client.HTTPConnection("127.0.0.1", client.handle.port)
    connection.request("GET", "/api/v3/series", headers={"X-Api-Key": client.handle.api_key, "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    assert answer.getheader("Content-Encoding") == "gzip"
    assert len(json.loads(gzip.decompress(answer.read()))) == 100
    connection.close()


def test_url_base_redirects_what_lacks_it(play: Play) -> None:
    client = Client(play({**library(), "config": {"UrlBase": "tv"}})["sonarr"])
    status, headers, _ = client.send("POST", "/api/v3/tag?x=1", {"label": "a"})
    assert (status, headers["Location"]) == (307, "/tv/api/v3/tag?x=1")
    assert client.send("GET", "/api/v3/tag", headers={"X-Api-Key": "wrong"})[0] == 401
    assert client.send("GET", "/tv/api/v3/tag")[0] == 200
    assert client.handle.url.endswith("/tv")


def test_refusals_have_their_own_shapes(play: Play) -> None:
    client = Client(play(library())["sonarr"])
    binding = client.send("PUT", "/api/v3/series/editor", {"seriesIds": "x"})
    assert binding[0] == 400 and "$.seriesIds" in binding[2]["errors"]
    validation = client.send("POST", "/api/v3/rootfolder", {"path": "/data/nowhere"})
    assert validation[0] == 400 and validation[2][0]["errorCode"] == "PathExistsValidator"
    thrown = client.send("PUT", "/api/v3/series/editor", {"seriesIds": [1, 99]})
    assert thrown[0] == 500 and thrown[2]["message"] == "Expected query to return 2 rows but returned 0"
    assert client.send("GET", "/api/v3/series/99")[2]["title"] == "Not Found"
