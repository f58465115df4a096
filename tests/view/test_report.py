"""The page is sealed: its policy names exactly its own code, and what is put inside it stays data."""

import json
import re
from types import MappingProxyType
from typing import Any

import pytest

from or_mcp.view.report import VIEW_MIME, VIEW_URI, app_html, report_html
from tests.view import csp

RUN = re.compile(r'<script type="application/json" id="run">(.*?)</script>', re.DOTALL)
HOSTILE = "</script><script>alert(1)</script><!-- & \u2028\u2029 \ud800 \x00 ]]>"


def embedded(html: str) -> Any:
    (written,) = RUN.findall(html)
    return json.loads(written)


def test_the_policy_names_the_hashes_of_the_pages_own_script_and_style() -> None:
    assert app_html() == csp.sealed(app_html()), "run: python tests/view/csp.py"


def test_the_policy_allows_nothing_else() -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', app_html())
    directives = dict(directive.strip().split(" ", 1) for directive in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["base-uri"] == directives["form-action"] == "'none'"
    assert directives["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policy
    assert "*" not in policy


def test_the_page_has_no_address_in_it_and_no_inline_handler() -> None:
    html = app_html()
    assert not re.search(r"https?://|\bwss?://|@import|url\(", html)
    assert not re.search(r"(?i)<[^>]+\son\w+\s*=", html)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", html)


def test_the_page_is_small() -> None:
    assert len(app_html().encode()) < 66_000


def test_the_app_is_empty_and_named_as_the_contract_says() -> None:
    assert RUN.findall(app_html()) == [""]
    assert (VIEW_URI, VIEW_MIME) == ("ui://or-mcp/fusion.html", "text/html;profile=mcp-app")


def test_a_report_holds_the_run_as_it_was() -> None:
    answer = {"run_id": "run_1", "answer": HOSTILE, "cost_usd": None, "panel": [{"model": "__proto__", "chars": 3}]}
    assert embedded(report_html(answer)) == answer


def test_nothing_in_a_run_can_end_its_element() -> None:
    html = report_html({"answer": HOSTILE, HOSTILE: [HOSTILE]})
    (written,) = RUN.findall(html)
    assert not re.search("[<>&\u2028\u2029\ud800-\udfff]", written)
    assert html.count("<script") == app_html().count("<script")
    html.encode()


def test_the_rest_of_a_report_is_the_page_to_the_letter() -> None:
    html = report_html({"answer": r"\1 \g<0> %s {}"})
    assert RUN.sub('<script type="application/json" id="run"></script>', html) == app_html()


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("Why <b>&?", "Why &lt;b&gt;&amp;?"),
        (" two\n\u202elines ", "two lines"),
        ("x" * 200, "x" * 79 + "…"),
        ("</title><script>", "&lt;/title&gt;&lt;script&gt;"),
        ("", "Fusion result"),
        (None, "Fusion result"),
    ],
)
def test_the_title_is_the_question(prompt: str | None, title: str) -> None:
    assert re.findall("<title>(.*?)</title>", report_html({"prompt": prompt})) == [title]


def test_numbers_that_json_cannot_hold_become_null() -> None:
    answer = MappingProxyType({"json": {"a": float("nan"), "b": (float("inf"), 1.5)}})
    assert embedded(report_html(answer)) == {"json": {"a": None, "b": [None, 1.5]}}
