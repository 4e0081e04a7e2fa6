"""The language check finds banned words where people read them, and nothing else."""

from pathlib import Path

import pytest

from tools import language

ROOT = Path(__file__).resolve().parents[2]


def words_found(folder: Path, name: str, text: str) -> list[tuple[int, str]]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return [(hit.line, hit.words) for hit in language.hits(path, name)]


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("page.md", "# Strides\n\nThe file\ntold it.\n", [(4, "told")]),
        ("page.md", "One line.\n\n- It is\n  none of ours.\n", [(3, "is none"), (4, "none of")]),
        ("page.md", "Fast. What is lost counts.\n", [(1, "What")]),
        ("page.md", "| flag | speaks against |\n", [(1, "speaks against")]),
        ("part.py", '"""Judge all."""\n', [(1, "Judge")]),
        ("part.py", "# Nobody\n# reads this.\n", [(1, "Nobody")]),
        ("part.py", 'raise ValueError(f"{name} is not believed by it")\n', [(1, "believed")]),
        ("part.py", "def most_samples(largest_cm): ...\n", [(1, "most_samples"), (1, "largest_cm")]),
        ("tests/test_part.py", "def test_who_walks(): ...\n", [(1, "test_who_walks")]),
        ("tests/test_part.py", "def test_loss_is_told(): ...\n", [(1, "test_loss_is_told")]),
        ("part.c", "/* First line.\n * The calm foot. */\n", [(2, "calm")]),
        (
            "part.inc",
            "static void follow(int a) { a = 1; } // lever of the sensor\n",
            [(1, "lever"), (1, "follow")],
        ),
        ("part.h", "#define LEAST_RATE 40 /* Hz */\n", [(1, "LEAST_RATE")]),
        ("some.yaml", "longest_s: 2  # unrest in it\n", [(1, "longest_s"), (1, "unrest")]),
        ("some.yaml", "desc: Decide which people it is, whoever they are.\n", [(1, "whoever")]),
        ("Makefile", "# What it needs.\nall:\n", [(1, "What")]),
        ("page.html.j2", "<p class='calm'>{{ told }}</p>\n<p>told</p>\n", [(2, "told")]),
        ("judging.py", "", [(1, "judging")]),
        ("part.py", "def known(): ...\n", [(1, "known")]),
    ],
)
def test_hits_banned_word_is_found_with_its_line(tmp_path, name, text, expected):
    assert sorted(words_found(tmp_path, name, text)) == sorted(expected)


@pytest.mark.parametrize(
    "name, text",
    [
        ("page.md", "# What does it cost?\n\nWhat is it? At least 5, at most 6, of course.\n"),
        ("page.md", "Run `tell`:\n\n```sh\ntold  # calm\n```\n\n[a link](docs/judging.md)\n"),
        ("page.md", "The lever arm is 6 cm; `None` is the default.\n"),
        ("part.py", "value = None  # None: as the preset has it\ndef at_least(least_squares): ...\n"),
        ("part.py", 'COLUMNS = ["told", "calm"]\nknown = 1\n'),
        ("part.py", 'PATTERN = r"(?:told|calm) or (?:nobody|else) of it"\n'),
        ("part.py", "def follow(): ...\ndef level(): ...\n"),
        ("part.c", "int at_least; state.most = 1;\n"),
        ("tests/test_part.py", "def test_walk_most_strides_are_found(): ...\n"),
        ("tests/test_part.py", 'def test_read_none_is_default():\n    assert "nobody told it so"\n'),
    ],
)
def test_hits_legitimate_use_is_not_found(tmp_path, name, text):
    assert words_found(tmp_path, name, text) == []


def test_hits_twin_function_with_a_name_of_the_c_is_found(tmp_path):
    assert words_found(tmp_path, "tinystride/streaming/part.py", "def follow(): ...\n") == [(1, "follow")]


def test_exceptions_each_has_a_reason_and_an_unknown_one_is_refused(tmp_path):
    for entry in language.Exceptions().entries:
        assert len(entry["reason"].split()) >= 3
    short = tmp_path / "short.toml"
    short.write_text('[[accepted]]\npath = "*"\nwords = "told"\nreason = "ok"\n')
    with pytest.raises(ValueError, match="needs path, words and a reason"):
        language.Exceptions(short)


def test_exceptions_accepted_use_is_remembered(tmp_path):
    path = tmp_path / "some.toml"
    path.write_text(
        '[[accepted]]\npath = "docs/*"\nwords = "told|calm"\nreason = "A quotation of a paper."\n'
    )
    exceptions = language.Exceptions(path)
    assert exceptions.accept(language.Hit("docs/a.md", 1, "Told", ""))
    assert not exceptions.accept(language.Hit("README.md", 1, "told", ""))
    assert exceptions.unused() == []


def test_main_hit_gives_status_1_and_one_line_each(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(
        language, "files", lambda paths, root: [(ROOT / "tools/language.py", "tools/judging.py")]
    )
    monkeypatch.setattr(
        language, "passages", lambda path, name: [language.Passage(3, "It told us.", "prose")]
    )
    monkeypatch.setattr("sys.argv", ["language", "tools"])
    assert language.main() == 1
    assert capsys.readouterr().out.splitlines() == [
        "tools/judging.py:3: told -> report, emit, show, distinguish",
        "1 found",
    ]


def test_main_nothing_found_gives_status_0(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["language", "tools/language.py"])
    assert language.main() == 0
    assert capsys.readouterr().out == "no banned word found\n"
