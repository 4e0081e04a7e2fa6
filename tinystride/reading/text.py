"""Text files to tables: encoding, separator, decimal sign, header rows, comments, incomplete lines."""

import csv
import io
import re
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tinystride.datasets.recording import read_error

MAX_BYTES = 400_000_000
MAX_COLUMNS = 5_000
HEAD_BYTES = 512_000
HEAD_LINES = 2_000
MAX_HEADER_ROWS = 5
SEPARATORS = (",", ";", "\t", "|", " ")
# A larger share of blank lines is a habit of the writer and does not mean lost samples.
MAX_BLANK_SHARE = 0.2
NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?$")
MISSING = {
    "",
    "nan",
    "na",
    "n/a",
    "null",
    "none",
    "inf",
    "-inf",
    "+inf",
    "-",
    "--",
    "?",
    "#n/a",
    "<na>",
    "-nan",
}
COMMENT = re.compile(rb"(?m)^[ \t]*(?:#|//|%)[^\n]*(?:\n|\Z)")
COMMENT_LINE = re.compile(r"\s*(?:#|//|%)")
# First bytes of files that are not text, and their kind.
MAGIC = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x89HDF": "HDF5",
    b"MATLAB 5.0 MAT-file": "a MATLAB file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"PAR1": "a Parquet file",
    b"{\\rtf": "a word processor's document",
}


@dataclass
class TextTable:
    """A table in a text file; its columns are parsed on demand.

    Attributes:
        path: the file
        names: header rows, one cell per column; [] if the file has no header
        units: cells of a row of units, "" if a column has none
        preamble: lines before the rows
        lines_skipped: number of lines before the first row that are neither header nor blank
        width: number of columns
        first_line: number of the first row's line, from 1
        notes: facts for the user
    """

    path: Path
    names: list[list[str]]
    units: list[str]
    preamble: list[str]
    lines_skipped: int
    width: int
    first_line: int
    notes: list[str] = field(default_factory=list)
    _separator: str = ","
    _decimal: str = "."
    _body: bytes = b""

    def columns(self, numbers: list[int], text: list[int] | None = None) -> pd.DataFrame:
        """Return columns by their numbers.

        Args:
            numbers: numbers of columns of floats, from 0; NaN for a cell that is not a number
            text: numbers of columns of text

        Returns:
            One row per row of the file, in order; comments are left out.
        """
        text = text or []
        wanted = sorted({*numbers, *text})
        table = self._parse(wanted, text)
        for number in wanted:
            if number not in text:
                table[number] = _as_floats(table[number], self._decimal)
        return table

    def _parse(self, wanted: list[int], text: list[int]) -> pd.DataFrame:
        options: dict[str, Any] = {
            "sep": r"\s+" if self._separator == " " else self._separator,
            "header": None,
            "names": list(range(self.width)),
            "usecols": wanted,
            "dtype": dict.fromkeys(text, str),
            "decimal": self._decimal,
            "index_col": False,
            "skipinitialspace": True,
            "low_memory": False,
            "skip_blank_lines": self._skip_blank_lines,
            "encoding": "utf-8",
            "encoding_errors": "replace",
            "comment": "#" if b"#" in self._body else None,
            "na_values": sorted(MISSING - {""}),
            "on_bad_lines": "error",
        }
        try:
            return pd.read_csv(io.BytesIO(self._evened_body() if self._overfull else self._body), **options)
        except (pd.errors.ParserError, ValueError, OverflowError):
            # A line with too many cells or stray quotes is a lost sample.
            options |= {"quoting": csv.QUOTE_NONE, "comment": None}
            return pd.read_csv(io.BytesIO(self._evened_body()), **options)

    @cached_property
    def _skip_blank_lines(self) -> bool:
        if not any(ends in self._body for ends in (b"\n\n", b"\n\r", b"\n ", b"\n\t")):
            return False
        blank = len(re.findall(rb"\n[ \t\r]*(?=\n)", self._body))
        return blank > MAX_BLANK_SHARE * self._body.count(b"\n")

    @property
    def _overfull(self) -> bool:
        """Whether some lines have more cells than there are columns, which pandas would cut silently."""
        if self._separator == " " or b'"' in self._body:
            return False
        lines = self._body.count(b"\n") + 1
        return self._body.count(self._separator.encode()) > lines * (self.width - 1)

    def _evened_body(self) -> bytes:
        lines = self._body.replace(b'"', b"").replace(b"\0", b"").split(b"\n")
        if self._separator == " ":
            cells = [len(line.split()) for line in lines]
            blank = b" ".join([b"nan"] * self.width)
        else:
            cells = [line.count(self._separator.encode()) + 1 for line in lines]
            blank = self._separator.encode() * (self.width - 1)
        return b"\n".join(
            line if count <= self.width else blank for line, count in zip(lines, cells, strict=True)
        )


def read_text(path: Path) -> TextTable:
    """Read the table in a text file, plain or gzipped, in UTF-8, UTF-16 or Latin-1.

    Args:
        path: the file

    Returns:
        The table.

    Raises:
        DataError: for a file that is too large, is not text, or has no rows of numbers
    """
    data = _utf8(path, _bytes(path))
    whole = data.endswith(b"\n")
    head = data[:HEAD_BYTES]
    if len(data) > len(head):
        head = head[: head.rfind(b"\n") + 1]
        if not head:
            raise read_error(
                path, "its first line is longer than 500 kB", "export the recording with one sample per line"
            )
    lines = [line.rstrip("\r") for line in head.decode("utf-8", errors="replace").split("\n")[:HEAD_LINES]]
    separator, width, median_numbers = _layout(path, lines)
    first = _first_row(lines, separator, width, median_numbers)
    if first is None:
        raise read_error(path, "contains no rows of numbers", "give a table with one sample per line")
    rows = [_split(line, separator) for line in lines[first : first + 200]]
    decimal = _decimal(rows, separator)
    header, begin = _header(lines, first, separator, width)
    names, units = _units_apart(header, width)
    body = data[_offset(data, first) :]
    notes: list[str] = []
    # A fast test first: most files have no comments.
    marked = any(b"\n" + sign in body for sign in (b"#", b"//", b"%", b" ", b"\t")) or body[:1] in b"#/%"
    comments = len(COMMENT.findall(body)) if marked else 0
    if comments:
        body = COMMENT.sub(b"", body)
    body, cut = _without_cut_line(body, separator, width, whole)
    if cut:
        notes.append("incomplete last line dropped")
    skipped = [line for line in lines[:begin] if line.strip(" \t\ufeff" + separator)]
    if skipped or comments:
        notes.append(_skipped_note(len(skipped), comments))
    return TextTable(
        path=path,
        names=names,
        units=units,
        preamble=lines[:first],
        lines_skipped=len(skipped),
        width=width,
        first_line=first + 1,
        notes=notes,
        _separator=separator,
        _decimal=decimal,
        _body=body,
    )


def _skipped_note(before: int, within: int) -> str:
    parts = [f"{before} before the header" if before else "", f"{within} comments" if within else ""]
    return "lines skipped: " + ", ".join(part for part in parts if part)


def _bytes(path: Path) -> bytes:
    """Return the content, unpacked if it is gzipped. At most MAX_BYTES are held in memory."""
    too_large = read_error(
        path,
        f"contains more than {MAX_BYTES // 1_000_000} MB of text",
        "split it into recordings of a few hours, or keep the columns of one sensor",
    )
    if path.stat().st_size > MAX_BYTES:
        raise too_large
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            data = unpack.decompress(data, MAX_BYTES + 1)
        except zlib.error as error:
            raise read_error(path, f"is damaged gzip ({error})", "compress it again") from None
        if len(data) > MAX_BYTES:
            raise too_large
    if not data.strip():
        raise read_error(path, "is empty", "export the recording again")
    return data


def _utf8(path: Path, data: bytes) -> bytes:
    """Return the text in UTF-8, without byte order mark, with line feeds at the ends of lines."""
    for magic, kind in MAGIC.items():
        if data.startswith(magic):
            raise read_error(path, f"is {kind}, not a text table", "export the recording as csv")
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", errors="replace").encode()
    elif b"\0" in data[:HEAD_BYTES]:
        head = data[: HEAD_BYTES // 2 * 2]
        zeros = [head[start::2].count(0) / max(1, len(head) // 2) for start in (0, 1)]
        if max(zeros) < 0.4 or min(zeros) > 0.1:
            raise read_error(path, "is not text", "export the recording as csv")
        data = data.decode("utf-16-le" if zeros[1] > zeros[0] else "utf-16-be", errors="replace").encode()
    else:
        try:
            data[:HEAD_BYTES].decode("utf-8")
        except UnicodeDecodeError as error:
            if error.end < min(len(data), HEAD_BYTES) - 4:
                data = data.decode("cp1252", errors="replace").encode()
    codes = np.frombuffer(data[:HEAD_BYTES], np.uint8)
    control = (codes < 32) & ~np.isin(codes, (9, 10, 11, 12, 13, 26, 0))
    odd = data[:HEAD_BYTES].decode("utf-8", errors="replace").count("\ufffd")
    if control.sum() + odd > max(3, 0.002 * len(codes)):
        raise read_error(path, "is not text", "export the recording as csv")
    if b"\r" in data[:HEAD_BYTES] and b"\n" not in data[:HEAD_BYTES]:
        data = data.replace(b"\r", b"\n")
    return data


def _split(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    if '"' in line:
        try:
            cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
        except csv.Error:
            cells = line.replace('"', "").split(separator)
    else:
        cells = line.split(separator)
    return [cell.strip(" \t\"'\ufeff") for cell in cells]


def _numbers(cells: list[str]) -> int:
    return sum(1 for cell in cells if NUMBER.match(cell))


def _layout(path: Path, lines: list[str]) -> tuple[str, int, float]:
    """Return (separator, columns, median count of numbers in a row) of the rows near the end of the head."""
    body = [line for line in lines if line.strip() and not COMMENT_LINE.match(line)]
    if not body:
        raise read_error(path, "contains no rows of numbers", "give a table with one sample per line")
    if body[0].lower().replace('"', "").startswith("sep=") and len(body) > 1:
        body = body[1:]
    sample = body[-max(1, min(100, len(body) // 2 + 1)) :]
    if max(map(len, sample)) > 50 * MAX_COLUMNS:
        raise read_error(
            path, f"has more than {MAX_COLUMNS} columns", "keep the columns of the sensors on the feet"
        )
    best: tuple[float, float, str, int] | None = None
    for separator in SEPARATORS:
        rows = [_split(line, separator) for line in sample]
        widths = [len(row) for row in rows]
        width = max(set(widths), key=lambda value: (widths.count(value), value))
        numbers = float(np.median([_numbers(row) for row in rows]))
        share = widths.count(width) / len(rows)
        if best is None or (numbers, share) > best[:2]:
            best = (numbers, share, separator, width)
    assert best is not None
    numbers, _, separator, width = best
    if width > MAX_COLUMNS:
        raise read_error(
            path, f"has more than {MAX_COLUMNS} columns", "keep the columns of the sensors on the feet"
        )
    if numbers < 2:
        raise read_error(path, "contains no rows of numbers", "give a table with one sample per line")
    return separator, width, numbers


def _first_row(lines: list[str], separator: str, width: int, median_numbers: float) -> int | None:
    """Return the index of the first line that is a row of numbers."""
    for index, line in enumerate(lines):
        if not line.strip() or COMMENT_LINE.match(line):
            continue
        cells = _split(line, separator)
        if abs(len(cells) - width) > 1 or _numbers(cells) < max(2, 0.6 * median_numbers):
            continue
        numbered = [str(number) for number in range(len(cells))]
        if cells in (numbered, [str(number + 1) for number in range(len(cells))]):
            continue  # column names that are numbers
        return index
    return None


def _decimal(rows: list[list[str]], separator: str) -> str:
    cells = [cell for row in rows for cell in row if NUMBER.match(cell)]
    commas = sum("," in cell for cell in cells)
    return "," if commas > sum("." in cell for cell in cells) else "."


def _header(lines: list[str], first: int, separator: str, width: int) -> tuple[list[list[str]], int]:
    """Return the header rows above line `first`, from top to bottom, and the index of the first one."""
    rows: list[list[str]] = []
    begin = first
    for index in range(first - 1, -1, -1):
        line = lines[index]
        if COMMENT_LINE.match(line) or (not rows and not line.strip()):
            continue
        cells = _split(line, separator)
        wide = cells
        while wide and not wide[-1]:
            wide = wide[:-1]
        if not wide or len(wide) > width or len(cells) < width - 1 or len(rows) == MAX_HEADER_ROWS:
            break
        if all(cell.lower() in MISSING or NUMBER.match(cell) for cell in wide):
            begin = index  # a row without a sample, such as NaN
            continue
        # R writes rows that begin with a name without a header.
        shift = (
            len(cells) == width - 1 and len(wide) == width - 1 and bool(_last_cell(lines[first], separator))
        )
        cells = ["", *cells] if shift else cells
        rows.insert(0, (cells + [""] * width)[:width])
        begin = index
    if rows:
        return rows, begin
    for index in range(first - 1, -1, -1):
        if COMMENT_LINE.match(lines[index]):
            cells = _split(lines[index].lstrip(" \t#/%"), separator)
            if len(cells) == width and not any(NUMBER.match(cell) for cell in cells):
                return [cells], index
            break
    return [], begin


def _last_cell(line: str, separator: str) -> str:
    cells = _split(line, separator)
    return cells[-1] if cells else ""


def _units_apart(rows: list[list[str]], width: int) -> tuple[list[list[str]], list[str]]:
    """Return (rows of names, units): a row whose cells are mostly units is the row of units."""
    from tinystride.reading.units import is_unit

    names: list[list[str]] = []
    units = [""] * width
    for position, row in enumerate(rows):
        cells = [cell for cell in row if cell]
        if cells and position and sum(is_unit(cell) for cell in cells) > 0.6 * len(cells):
            units = row
        elif position and len(cells) == 1 and len(rows[position - 1]) > 2:
            # Below two header rows, pandas writes a row with the index's name.
            names[-1] = [own or above for own, above in zip(row, names[-1], strict=True)]
        elif position and cells and all(cell.upper() in {"RAW", "CAL", "UNCAL"} for cell in cells):
            names[-1] = [f"{above} {own}".strip() for own, above in zip(row, names[-1], strict=True)]
        else:
            names.append(row)
    return names, units


def _offset(data: bytes, line: int) -> int:
    """Return the offset at which line number `line`, from 0, starts."""
    offset = 0
    for _ in range(line):
        offset = data.index(b"\n", offset) + 1
    return offset


def _without_cut_line(body: bytes, separator: str, width: int, whole: bool) -> tuple[bytes, bool]:
    """Return the rows without an incomplete last one, and whether there was one."""
    body = body.rstrip(b" \r\n\0\x1a")
    at = body.rfind(b"\n")
    if at < 0:
        return body, False
    last, before = (
        _split(line.decode("utf-8", errors="replace"), separator)
        for line in (body[at + 1 :], body[body.rfind(b"\n", 0, at) + 1 : at])
    )
    short = len(last) < min(width, len(before))
    if not short and not whole and len(last) == len(before) and "." in before[-1]:
        # All cells are there, but the last number may lack digits.
        digits = [len(cells[-1].partition(".")[2]) for cells in (last, before)]
        short = digits[0] < digits[1] - 1
    return (body[:at], True) if short else (body, False)


def _as_floats(column: pd.Series, decimal: str) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(column) or column.dtype == bool:
        text = column.astype(str).str.strip(" \"'\t")
        column = pd.to_numeric(text.str.replace(",", ".") if decimal == "," else text, errors="coerce")
    return column.astype(float)
