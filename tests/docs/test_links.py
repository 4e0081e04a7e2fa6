"""Links of the documents: the same text leads to the right place on GitHub and on the site."""

import pytest

from tools.docs.links import linked_paths, page_of_path, replace_targets, split_target


def upper(target: str, html: bool) -> str:
    return target.upper() + "!" * html


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("see [a](b.md#c), ![d](e.png)", "see [a](B.MD#C), ![d](E.PNG)"),
        ("[`code` in it](b.md)", "[`code` in it](B.MD)"),
        ("[![picture](a.png)](b.md)", "[![picture](A.PNG)](B.MD)"),
        ('<img src="a.png" alt="b">', '<img src="A.PNG!" alt="b">'),
        ("[a]: b.md\n", "[a]: B.MD\n"),
        ("`x[i](y)` and [a](b)", "`x[i](y)` and [a](B)"),
        ("```\n[a](b)\n```\n[a](b)", "```\n[a](b)\n```\n[a](B)"),
        ("- list\n\n  ```sh\n  [a](b)\n  ```\n\n[a](b)", "- list\n\n  ```sh\n  [a](b)\n  ```\n\n[a](B)"),
    ],
)
def test_replace_targets_changes_links_and_leaves_code(before, after):
    assert replace_targets(before, upper) == after


@pytest.mark.parametrize(
    ("target", "source", "expected"),
    [
        ("method.md#flags", "docs/sensors.md", ("docs/method.md", "#flags")),
        ("../params.yaml", "docs/tutorials/a.py", ("docs/params.yaml", "")),
        ("stages/", "README.md", ("stages", "")),
        ("https://example.org/a", "README.md", None),
        ("mailto:someone@example.org", "README.md", None),
        ("#here", "README.md", None),
    ],
)
def test_split_target_resolves_relative_paths(target, source, expected):
    assert split_target(target, source) == expected


def test_linked_paths_lists_each_path_once():
    assert linked_paths("[a](../x.py) [b](y.md) [c](../x.py#L3)", "docs/z.md") == ["x.py", "docs/y.md"]


def test_page_of_path_shows_code_folder_and_markdown(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.md").write_text("# B\n")
    (tmp_path / ".hidden").write_text("secret")
    assert "`````python\nx = 1\n`````" in page_of_path(tmp_path / "a.py")
    assert page_of_path(tmp_path / "b.md") == "# B\n"
    listing = page_of_path(tmp_path)
    assert f"[a.py]({tmp_path.name}/a.py)" in listing and "hidden" not in listing
