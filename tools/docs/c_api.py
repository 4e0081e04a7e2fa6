"""The reference of the C library as a page: Doxygen reads the header's comments, this writes Markdown."""

import re
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

DOXYFILE = Path("tinystride/firmware/Doxyfile")
HEADER = "tinystride/firmware/tinystride.h"
CONSTANT = re.compile(r"\b(TINYSTRIDE_[A-Z0-9_]*[A-Z0-9])\b")
LINE = 76  # characters of code that fit the page
KINDS = {
    "see": "See",
    "note": "Note",
    "warning": "Warning",
    "pre": "Before",
    "post": "After",
    "since": "Since",
}


def c_api(doxyfile: Path = DOXYFILE) -> str:
    """Return the Markdown page. Raises ValueError with the messages of Doxygen if it warns."""
    with tempfile.TemporaryDirectory() as folder:
        settings = [f"OUTPUT_DIRECTORY={folder}", "GENERATE_XML=YES", "XML_PROGRAMLISTING=NO"]
        configuration = "\n".join([doxyfile.read_text(), *settings])
        done = subprocess.run(["doxygen", "-"], input=configuration, capture_output=True, text=True)
        if done.returncode:
            raise ValueError(f"{doxyfile}: {done.stderr.strip()}")
        xml = Path(folder) / "xml"
        (header,) = (ET.parse(file).getroot()[0] for file in sorted(xml.glob("*_8h.xml")))
        structs = [
            ET.parse(xml / f"{each.get('refid')}.xml").getroot()[0] for each in header.iter("innerclass")
        ]
    return page(header, structs)


def page(header: ET.Element, structs: list[ET.Element]) -> str:
    """Functions, structs, then groups of constants, each under a heading with its C name as anchor."""
    name = header.findtext("compoundname", "")
    parts = [f"# C API: {name}", *descriptions(header)]
    parts += ["## Functions"] + [function(each) for each in header.findall(".//memberdef[@kind='function']")]
    parts += ["## Structs"] + [struct(each) for each in structs]
    parts += ["## Constants"]
    for section in header.findall("sectiondef"):
        if defines := section.findall("memberdef[@kind='define']"):
            parts += [f"### {section.findtext('header') or 'Others'}", blocks(section.find("description"))]
            parts += [table(["constant", "value", "meaning"], [define(each) for each in defines])]
    return re.sub(r"\s*\n\s*\n", "\n\n", "\n\n".join(parts)) + "\n"


def function(member: ET.Element) -> str:
    name = member.findtext("name", "")
    parameters = [
        f"{text(each.find('type'))} {each.findtext('declname')}{each.findtext('array') or ''}".replace(
            "* ", "*"
        )
        for each in member.findall("param")
    ]
    call = f"{text(member.find('type'))} {name}("
    declaration = f"{call}{', '.join(parameters)});"
    if len(declaration) > LINE:
        declaration = call + "".join(f"\n    {each}," for each in parameters)[:-1] + ");"
    code = f"```c\n{declaration}\n```"
    return "\n\n".join([f"### {name} {{ #{name} }}", code, *descriptions(member)])


def descriptions(element: ET.Element) -> list[str]:
    """Brief and detailed description, as Markdown."""
    return [blocks(element.find(kind)) for kind in ("briefdescription", "detaileddescription")]


def struct(compound: ET.Element) -> str:
    name = compound.findtext("compoundname", "")
    rows = [
        [
            f"`{text(each.find('type'))}`",
            f"`{each.findtext('name')}{each.findtext('argsstring') or ''}`",
            cell(each),
        ]
        for each in compound.findall(".//memberdef[@kind='variable']")
    ]
    members = table(["type", "member", "meaning"], rows) if rows else ""
    return "\n\n".join([f"### {name} {{ #{name} }}", *descriptions(compound), members])


def define(member: ET.Element) -> list[str]:
    name, value = member.findtext("name"), text(member.find("initializer"))
    return [f'<code id="{name}">{name}</code>', f"`{value}`" if value else "", cell(member)]


def cell(member: ET.Element) -> str:
    """The descriptions of a member in one cell of a table."""
    return " ".join(" ".join(descriptions(member)).split())


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *[[cell.replace("|", "\\|") for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(element: ET.Element | None) -> str:
    """All characters of an element, without markup."""
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def inline(element: ET.Element) -> str:
    """Markdown of a paragraph's text; blocks within it stand between empty lines."""
    parts = [escaped(element.text)]
    for child in element:
        inner = inline(child)
        match child.tag:
            case "computeroutput":
                parts.append(f"`{text(child)}`")
            case "bold":
                parts.append(f"**{inner}**")
            case "emphasis":
                parts.append(f"*{inner}*")
            case "ref":
                name = text(child).rstrip("()")
                parts.append(
                    f"[`{text(child)}`](#{name})" if child.get("kindref") == "member" else f"`{text(child)}`"
                )
            case "linebreak":
                parts.append("  \n")
            case "programlisting":
                parts.append(f"\n\n```c\n{listing(child)}\n```\n\n")
            case "itemizedlist":
                parts.append(
                    "\n\n" + "\n".join(f"- {' '.join(blocks(item).split())}" for item in child) + "\n\n"
                )
            case "parameterlist":
                parts.append("\n\n" + parameter_list(child) + "\n\n")
            case "simplesect":
                label = "Returns" if child.get("kind") == "return" else KINDS[child.get("kind", "")]
                parts.append(f"\n\n**{label}**: {blocks(child)}\n\n")
            case _:
                parts.append(inner)
        parts.append(escaped(child.tail))
    return "".join(parts)


def escaped(characters: str | None) -> str:
    """Markdown that reads as these characters; names of constants are links to their rows."""
    parts = CONSTANT.split(characters or "")
    parts[::2] = [re.sub(r"[*<_]", r"\\\g<0>", part) for part in parts[::2]]
    parts[1::2] = [f"[`{name}`](#{name})" for name in parts[1::2]]
    return "".join(parts)


def blocks(element: ET.Element | None) -> str:
    """Markdown of the paragraphs of a description."""
    if element is None:
        return ""
    return "\n\n".join(filter(None, (inline(each).strip() for each in element if each.tag == "para")))


def listing(element: ET.Element) -> str:
    """The lines of a piece of code; <sp/> is a space."""
    lines = []
    for line in element.findall("codeline"):
        for space in line.iter("sp"):
            space.text = " "
        lines.append("".join(line.itertext()).rstrip())
    indent = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    return "\n".join(line[indent:] for line in lines)


def parameter_list(element: ET.Element) -> str:
    rows = []
    for item in element.findall("parameteritem"):
        names = ", ".join(f"`{text(each)}`" for each in item.iter("parametername"))
        rows.append([names, " ".join(blocks(item.find("parameterdescription")).split())])
    return table(["parameter", "meaning"], rows)
