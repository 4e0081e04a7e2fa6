"""The exported library as a package of CMake, Arduino, PlatformIO, Zephyr and ESP-IDF."""

import json
import re
import shutil
import subprocess

import kconfiglib
import pytest
import yaml

from tests.codegen.c_program import STRICT
from tests.codegen.estimator_library import export_estimator
from tinystride import __version__
from tinystride.codegen.costs import with_costs
from tinystride.codegen.versions import set_version
from tinystride.firmware.source import header

pytestmark = pytest.mark.compilers

SEMVER = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
# docs.arduino.cc/arduino-cli/library-specification
ARDUINO_CATEGORIES = {
    "Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing", "Data Storage",
    "Data Processing", "Other",
}  # fmt: skip
MAIN = """#include <tinystride.h>
#include <tinystride_model.h>
int main(void)
{
    static tinystride_t ts;
    static const int8_t input[TINYSTRIDE_MODEL_INPUT_SIZE];
    int8_t output[TINYSTRIDE_MODEL_OUTPUT_SIZE];
    return tinystride_init(&ts, 100.0f, TINYSTRIDE_LEFT) | tinystride_model_run(input, output);
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return export_estimator(tmp_path_factory.mktemp("package"))


def run(*command, **options) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_library_properties_follow_the_arduino_specification(library):
    lines = (library / "library.properties").read_text().splitlines()
    fields = dict(line.split("=", 1) for line in lines)
    assert len(fields) == len(lines)
    required = {"name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url"}
    assert required | {"architectures", "includes"} == set(fields)
    assert all(fields.values())
    name = fields["name"]
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9 _.-]*", name) and len(name) <= 63
    assert not name.lower().startswith("arduino")
    assert re.fullmatch(SEMVER, fields["version"])
    assert fields["category"] in ARDUINO_CATEGORIES
    assert re.fullmatch(r"https://[\w./-]+", fields["url"])
    assert fields["architectures"] == "*"
    # Only src is searched for headers.
    assert all((library / "src" / name).is_file() for name in fields["includes"].split(","))
    # A sketch has the name of its folder.
    assert all(sketch.stem == sketch.parent.name for sketch in library.glob("examples/*/*.ino"))


def test_library_json_follows_the_platformio_schema(library):
    manifest = json.loads((library / "library.json").read_text())
    assert {"name", "version", "description", "keywords"} <= manifest.keys()
    assert manifest.keys() <= {
        "name", "version", "description", "keywords", "homepage", "repository", "authors", "license",
        "frameworks", "platforms", "headers", "examples", "dependencies", "export", "scripts", "build",
    }  # fmt: skip
    assert len(manifest["name"]) <= 50 and not re.search(r"[:;/,@<>]|--", manifest["name"])
    assert re.fullmatch(SEMVER, manifest["version"])
    assert len(manifest["description"]) <= 255
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word) for word in manifest["keywords"])
    assert manifest["repository"].keys() == {"type", "url"} and manifest["repository"]["type"] == "git"
    assert all("name" in author for author in manifest["authors"])
    assert manifest["license"] == "MIT" and manifest["frameworks"] == manifest["platforms"] == "*"
    assert all((library / manifest["build"]["includeDir"] / name).is_file() for name in manifest["headers"])
    assert list((library / manifest["build"]["srcDir"]).glob("*.c"))


def test_version_is_the_same_in_all_files(library):
    properties = (library / "library.properties").read_text()
    assert f"\nversion={__version__}\n" in properties
    assert json.loads((library / "library.json").read_text())["version"] == __version__
    assert yaml.safe_load((library / "idf_component.yml").read_text())["version"] == __version__
    assert f"project(tinystride VERSION {__version__} " in (library / "CMakeLists.txt").read_text()
    macros = dict(re.findall(r'#define TINYSTRIDE_VERSION(\w*) "?([\d.]+)"?', header()))
    assert macros[""] == __version__
    assert ".".join(macros[part] for part in ("_MAJOR", "_MINOR", "_PATCH")) == __version__


def test_set_version_changes_all_files(library, tmp_path):
    copy = shutil.copytree(library, tmp_path / "copy")
    set_version(copy, "12.3.4")
    changed = {path for path in copy.rglob("*") if path.is_file() and "12.3.4" in path.read_text()}
    names = {"CMakeLists.txt", "library.properties", "library.json", "idf_component.yml", "tinystride.h"}
    assert {path.name for path in changed} == names
    text = (copy / "include/tinystride.h").read_text()
    assert '#define TINYSTRIDE_VERSION "12.3.4"' in text and "TINYSTRIDE_VERSION_MINOR 3 " in text
    set_version(copy, __version__)
    assert all(path.read_text() == (library / path.relative_to(copy)).read_text() for path in changed)


def test_sources_have_a_licence_line(library):
    endings = {".c", ".h", ".ino", ".ld", ".yml"}
    sources = [path for path in library.rglob("*") if path.suffix in endings]
    assert len(sources) > 12
    for path in sources:
        assert "SPDX-License-Identifier: MIT" in path.read_text().split("\n", 1)[0], path


def test_cmake_installed_package_is_found(library, tmp_path):
    run("cmake", "-S", library, "-B", tmp_path / "build")
    run("cmake", "--build", tmp_path / "build", "--target", "tinystride_model")
    run("cmake", "--build", tmp_path / "build")
    run("cmake", "--install", tmp_path / "build", "--prefix", tmp_path / "prefix")
    user = tmp_path / "user"
    user.mkdir()
    (user / "main.c").write_text(MAIN)
    (user / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(user C)\n"
        f"find_package(tinystride {__version__} REQUIRED CONFIG)\nadd_executable(user main.c)\n"
        "target_link_libraries(user PRIVATE tinystride::tinystride_model)\n"
    )
    run("cmake", "-S", user, "-B", user / "build", f"-DCMAKE_PREFIX_PATH={tmp_path / 'prefix'}")
    run("cmake", "--build", user / "build")
    run(user / "build/user")
    # The package has no path of the place where it was built.
    for path in (tmp_path / "prefix").rglob("*.cmake"):
        assert str(library) not in path.read_text(), path


def test_sources_build_by_a_glob_pattern(library, tmp_path):
    (tmp_path / "main.c").write_text(MAIN)
    sources = sorted(library.glob("src/*.c"))
    run("gcc", *STRICT, f"-I{library / 'include'}", tmp_path / "main.c", *sources, "-o", tmp_path / "main")
    run(tmp_path / "main")


def test_idf_component_is_registered(library, tmp_path):
    manifest = yaml.safe_load((library / "idf_component.yml").read_text())
    assert manifest.keys() == {"version", "description", "url", "license", "dependencies"}
    assert manifest["license"] == "MIT" and manifest["dependencies"]["idf"]
    # As ESP-IDF includes a component's CMakeLists.txt.
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(stub C)\nset(ESP_PLATFORM 1)\n"
        "function(idf_component_register)\n"
        '  cmake_parse_arguments(_ "" "" "SRCS;INCLUDE_DIRS;REQUIRES;PRIV_REQUIRES" ${ARGN})\n'
        "  if(__UNPARSED_ARGUMENTS)\n    message(FATAL_ERROR ${__UNPARSED_ARGUMENTS})\n  endif()\n"
        "  add_library(component STATIC ${__SRCS})\n"
        "  target_include_directories(component PUBLIC ${__INCLUDE_DIRS})\nendfunction()\n"
        f"add_subdirectory({library} tinystride)\n"
        "add_executable(user main.c)\ntarget_link_libraries(user component)\n"
    )
    (tmp_path / "main.c").write_text(MAIN)
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build")
    run("cmake", "--build", tmp_path / "build")


ZEPHYR_STUBS = """
function(zephyr_library_named name)
  add_library(${name} STATIC)
  set(ZEPHYR_CURRENT_LIBRARY ${name} PARENT_SCOPE)
endfunction()
function(zephyr_library_sources)
  target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endfunction()
function(zephyr_include_directories)
  get_filename_component(folder ${ARGV0} ABSOLUTE)
  target_include_directories(${ZEPHYR_CURRENT_LIBRARY} PUBLIC ${folder})
endfunction()
function(zephyr_library_compile_definitions_ifdef option)
  if(${option})
    target_compile_definitions(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
  endif()
endfunction()
"""


@pytest.mark.parametrize("plain_c", [False, True])
def test_zephyr_module_builds_as_configured(library, tmp_path, plain_c):
    module = yaml.safe_load((library / "zephyr/module.yml").read_text())
    assert module.keys() <= {"name", "build", "tests", "samples", "boards", "blobs"}
    assert (library / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    kconfig = kconfiglib.Kconfig(str(library / module["build"]["kconfig"]), warn_to_stderr=False)
    assert not kconfig.warnings
    off = tmp_path / "off.config"
    kconfig.write_config(str(off))
    assert "CONFIG_TINYSTRIDE=y" not in off.read_text()
    kconfig.syms["TINYSTRIDE"].set_value("y")
    kconfig.syms["TINYSTRIDE_PLAIN_C"].set_value("y" if plain_c else "n")
    options = {name: symbol.str_value for name, symbol in kconfig.syms.items() if symbol.str_value == "y"}
    settings = "".join(f"set(CONFIG_{name} {value})\n" for name, value in options.items())
    (tmp_path / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.20)\nproject(stub C)\n{ZEPHYR_STUBS}{settings}"
        f"add_subdirectory({library / module['build']['cmake']} module)\n"
        "add_executable(user main.c)\ntarget_link_libraries(user tinystride)\n"
    )
    (tmp_path / "main.c").write_text(MAIN)
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    run("cmake", "--build", tmp_path / "build")
    commands = (tmp_path / "build/compile_commands.json").read_text()
    assert ("-DTINYSTRIDE_PLAIN_C" in commands) == plain_c


def test_doxygen_header_has_no_warning(tmp_path):
    assert shutil.which("doxygen"), "install the Debian package doxygen"
    settings = f"@INCLUDE = tinystride/firmware/Doxyfile\nOUTPUT_DIRECTORY = {tmp_path}\n"
    done = subprocess.run(["doxygen", "-"], input=settings, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    documented = (tmp_path / "html/tinystride_8h.html").read_text()
    public = re.findall(r"\n(?:int|void) (tinystride_\w+)\(", header())
    assert len(public) == 8
    for name in public:
        assert f"{name}()</h2>" in documented


COSTS = {
    "flash_bytes": 13_164,
    "static_bytes": 3_484,
    "stack_bytes": 1_592,
    "instructions_per_sample": 268.6,
    "instructions_per_sample_worst": 930,
    "instructions_at_stride_end_worst": 69_653,
}


def test_readme_has_units_flags_rates_and_costs(library):
    readme = (library / "README.md").read_text()
    flags = re.findall(r"#define TINYSTRIDE_(\w+) 0x\w+u", header())
    assert re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE) == flags and len(flags) == 13
    for file in re.findall(r"`((?:examples|include)/[\w./]+)`", readme):
        assert (library / file).exists(), file
    for word in ("mounting", "16 g", "2000 deg/s", "MIT", "queue", "CONFIG_TINYSTRIDE=y", "find_package"):
        assert word in readme, word


def test_with_costs_table_is_written_between_its_marks(library):
    readme = (library / "README.md").read_text()
    slow = COSTS | {"instructions_at_stride_end_worst": 1_568_654}
    written = with_costs(readme, {"cortex-m4f": {"estimator": COSTS}, "cortex-m0": {"estimator": slow}})
    assert "has not been measured" in readme and "has not been measured" not in written
    assert "|  | cortex-m4f | cortex-m0 |" in written
    # 69,653 instructions * 1.3 / 64 MHz = 1.4 ms; 1,568,654: 31.9 ms, 3.2 samples at 100 Hz and 12.7 at 400.
    assert "| longest call at 64 MHz, ms | 1.4 | 31.9 |" in written
    assert "| queue at 100 Hz, samples | 1 | 4 |" in written
    assert "| queue at 400 Hz, samples | 1 | 13 |" in written
    assert with_costs(written, {"cortex-m4f": {"estimator": COSTS}}).count("costs: begin") == 1
    assert with_costs(readme, {"cortex-m4f": {"network": {}}}) == readme
