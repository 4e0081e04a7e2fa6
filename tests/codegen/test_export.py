"""The exported library or pair of files: complete, reproducible, accepted by all build systems."""

import json
import re
import threading
from ctypes import CDLL, c_int8

import numpy as np
import pytest
import yaml

from tests.codegen.c_program import STRICT, expected_outputs, export, run
from tests.codegen.networks import BUILT, KERAS, network
from tinystride.cli import main
from tinystride.codegen import check_on_host, export_model
from tinystride.errors import ParameterError, ToolError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "stride.tflite"
    path.write_bytes(network("residual"))
    return path


@pytest.fixture(scope="module")
def library(model):
    folder = model.parent / "library"
    export_model(model, folder)
    return folder


def test_export_model_library_has_all_files(library):
    files = {path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_file()}
    assert files >= {
        "include/tinystride_model.h",
        "src/tinystride_model.c",
        "test/golden_vectors.h",
        "test/test_model.c",
        "CMakeLists.txt",
        "library.properties",
        "library.json",
        "model_card.yaml",
        "README.md",
    }
    header = (library / "include/tinystride_model.h").read_text()
    assert "int tinystride_model_run(const int8_t *input, int8_t *output);" in header
    for macro in ("INPUT_SIZE 384", "OUTPUT_SIZE 1", "INPUT_SCALE 0.", "INPUT_ZERO_POINT", "OUTPUT_SCALE 0."):
        assert f"#define TINYSTRIDE_MODEL_{macro}" in header


def test_export_model_card_and_returned_numbers_agree(model, library):
    card = yaml.safe_load((library / "model_card.yaml").read_text())
    assert card["file"] == "stride.tflite" and card["bytes"] == model.stat().st_size
    assert card["multiply_accumulates"] == 32 * 30 * 8 + 16 * 40 * 8 + 64 * 6 + 6
    assert card["weights"] == 240 + 320 + 384 + 6
    returned = export_model(model, model.parent / "again", prefix="peer")
    assert returned["files"] == ["peer.c", "peer.h"] and returned["weights"] == card["weights"]


def test_check_on_host_exported_library_passes(library):
    checked = check_on_host(library)
    assert checked["vectors"] == 24 and checked["mismatches"] == 0


def test_check_on_host_wrong_output_raises(model, tmp_path):
    export_model(model, tmp_path / "c")
    vectors = tmp_path / "c/test/golden_vectors.h"
    text = vectors.read_text()
    place = text.rindex("    {\n")
    changed = re.sub(r"-?\d+,", "99,", text[place:], count=1)
    vectors.write_text(text[:place] + changed)
    with pytest.raises(ToolError, match="24 vectors, 1 mismatches"):
        check_on_host(tmp_path / "c")


def test_check_on_host_without_compiler_names_the_package(library, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolError, match="install the Debian package gcc"):
        check_on_host(library)


@pytest.mark.parametrize("name", ["residual", "residual_sum", "float_edges"])
def test_export_model_twice_gives_the_same_bytes(name, tmp_path):
    (tmp_path / "m.tflite").write_bytes(network(name))
    for folder in ("one", "two"):
        export_model(tmp_path / "m.tflite", tmp_path / folder)
    paths = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    for path in paths:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_export_model_existing_folder_keeps_other_files(model, tmp_path):
    (tmp_path / "mine.c").write_text("int mine;")
    export_model(model, tmp_path, prefix="peer")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.c", "peer.c", "peer.h"]


@pytest.mark.parametrize("prefix", ["", "9lives", "a-b", "a b", "a/b", "x" * 41])
def test_export_model_invalid_prefix_is_rejected(model, tmp_path, prefix):
    with pytest.raises(ParameterError, match="must be a C name"):
        export_model(model, tmp_path / "out", prefix=prefix)


@pytest.mark.parametrize("name", [*BUILT, *KERAS])
def test_object_needs_no_library_function_or_mutable_data(name, tmp_path):
    """Check that the two functions are the only public symbols, too."""
    folder = export(network(name), tmp_path)
    target = tmp_path / "peer.o"
    run(
        "gcc",
        "-std=c99",
        "-Os",
        "-fno-pie",
        "-ffreestanding",
        "-fno-builtin",
        *STRICT,
        "-c",
        folder / "peer.c",
        "-o",
        target,
    )
    symbols = [line.split()[-2:] for line in run("nm", target).splitlines()]
    public = {name for kind, name in symbols if kind.isupper() and kind not in "U"}
    assert public == {"peer_run", "peer_run_with"}
    assert not [name for kind, name in symbols if kind in "bBdDC"]
    assert {name for kind, name in symbols if kind == "U"} <= {"memset", "memcpy", "__stack_chk_fail"}


def test_source_names_layers_and_shapes(tmp_path):
    folder = export(network("paper"), tmp_path)
    source = (folder / "peer.c").read_text()
    assert re.search(r"/\* conv1d\w*: \[108, 6\] -> \[108, 32\] -> \[54, 32\] \*/", source)
    assert re.search(r"#define CONV1D\w*_OUTPUT_ZERO_POINT \(-128\)", source)
    assert max(len(line) for line in source.splitlines()) <= 120
    assert "{%" not in source and "\n\n\n" not in source
    for operation in ("add(", "average(", "rescale(", "pool_max("):
        assert operation not in source


def test_source_hostile_names_are_replaced(tmp_path):
    from tests.codegen.tflite_builder import Builder

    b = Builder()
    x = b.input((1, 4))
    y = b.rescale(x, "RELU")
    b.graph.tensors[y].name = "model/*/;#include </etc/passwd>\n*/ int x;/relu"
    folder = export(b.bytes(y), tmp_path)
    assert "passwd" not in (folder / "peer.c").read_text()


def test_model_card_holds_the_attached_description(tmp_path):
    from ai_edge_litert import schema_py_generated as schema

    from tests.codegen.tflite_builder import Builder

    b = Builder()
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = np.frombuffer(json.dumps({"estimator": "direct"}).encode(), np.uint8)
    entry.name, entry.buffer = "tinystride", len(b.model.buffers)
    b.model.buffers.append(buffer)
    b.model.metadata.append(entry)
    (tmp_path / "m.tflite").write_bytes(b.bytes(b.rescale(b.input((1, 4)), "RELU")))
    export_model(tmp_path / "m.tflite", tmp_path / "c")
    assert yaml.safe_load((tmp_path / "c/model_card.yaml").read_text())["description"] == {
        "estimator": "direct"
    }


@pytest.fixture(scope="module")
def shared_object(tmp_path_factory):
    folder = export(network("residual"), tmp_path_factory.mktemp("shared"))
    run("gcc", "-std=c99", "-O2", "-fPIC", "-shared", folder / "peer.c", "-o", folder / "peer.so")
    return CDLL(str(folder / "peer.so"))


def test_run_null_pointer_returns_an_error(shared_object):
    values = (c_int8 * 384)()
    assert shared_object.peer_run(None, values) == -1
    assert shared_object.peer_run(values, None) == -1
    assert shared_object.peer_run_with(None, values, values) == -1


def test_run_parallel_threads_do_not_interfere(shared_object):
    """Run threads at the same time; ctypes releases the lock."""
    _, inputs, expected = expected_outputs(network("residual"), 400)
    results = [np.empty_like(expected) for _ in range(4)]

    def work(outputs):
        for values, row in zip(inputs, outputs, strict=True):
            shared_object.peer_run(values.ctypes.data, row.ctypes.data)

    shared_object.peer_run.argtypes = None
    import ctypes

    shared_object.peer_run.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    threads = [threading.Thread(target=work, args=(outputs,)) for outputs in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outputs in results:
        np.testing.assert_array_equal(outputs, expected)


def test_cmake_standalone_builds_and_passes(library, tmp_path):
    run("cmake", "-S", library, "-B", tmp_path, "-DCMAKE_C_FLAGS=" + " ".join(STRICT))
    run("cmake", "--build", tmp_path)
    assert "100% tests passed" in run("ctest", "--test-dir", tmp_path)


def test_cmake_cross_compiler_builds_the_library(library, tmp_path):
    toolchain = tmp_path / "toolchain.cmake"
    toolchain.write_text(
        "set(CMAKE_SYSTEM_NAME Generic)\nset(CMAKE_SYSTEM_PROCESSOR arm)\n"
        "set(CMAKE_C_COMPILER arm-none-eabi-gcc)\nset(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\n"
        'set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -Wall -Wextra -Werror")\n'
    )
    run("cmake", "-S", library, "-B", tmp_path / "build", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}")
    run("cmake", "--build", tmp_path / "build")
    assert (tmp_path / "build/libtinystride_model.a").exists()


def test_cmake_subdirectory_links(library, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(firmware C)\n"
        f"add_subdirectory({library} tinystride)\nadd_executable(firmware main.c)\n"
        "target_link_libraries(firmware tinystride_model)\n"
    )
    (tmp_path / "main.c").write_text((library / "examples/minimal/main.c").read_text())
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build")
    run("cmake", "--build", tmp_path / "build")


def test_arduino_builder_accepts_the_library(library, tmp_path):
    """Check the properties that the Arduino builder requires, headers beside the sources, and the sketch."""
    properties = dict(
        line.split("=", 1) for line in (library / "library.properties").read_text().splitlines() if line
    )
    required = {
        "name",
        "version",
        "author",
        "maintainer",
        "sentence",
        "paragraph",
        "category",
        "url",
        "architectures",
    }
    assert required <= properties.keys() and re.fullmatch(r"\d+\.\d+\.\d+", properties["version"])
    (sketch,) = library.glob("examples/arduino/arduino.ino")
    (tmp_path / "Arduino.h").write_text(
        "struct Port { void begin(long);\n"
        "template <class T> void print(T); template <class T> void println(T); };\n"
        "extern Port Serial; unsigned long micros(); void delay(unsigned long);\n"
    )
    source = tmp_path / "sketch.cpp"
    source.write_text(f'#include "Arduino.h"\n#include "{sketch}"\n')
    run("g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", f"-I{library / 'src'}", "-fsyntax-only", source)
    run("gcc", "-std=gnu11", f"-I{library / 'src'}", "-fsyntax-only", library / "src/tinystride_model.c")


def test_platformio_manifest_names_sources(library):
    described = json.loads((library / "library.json").read_text())
    assert {"name", "version", "description", "license", "frameworks", "platforms"} <= described.keys()
    assert (library / described["build"]["includeDir"] / described["headers"][0]).exists()
    assert list((library / described["build"]["srcDir"]).glob("*.c"))


@pytest.mark.parametrize("name", ["residual", "depthwise_image", "float_edges", "uint8_edges"])
def test_export_model_without_tflm_gives_the_same_golden_vectors(name, tmp_path, monkeypatch):
    (tmp_path / "m.tflite").write_bytes(network(name))
    export_model(tmp_path / "m.tflite", tmp_path / "tflm")
    monkeypatch.setattr("tinystride.codegen.export.tflm_is_installed", lambda: False)
    export_model(tmp_path / "m.tflite", tmp_path / "host")
    vectors = "test/golden_vectors.h"
    assert (tmp_path / "host" / vectors).read_text() == (tmp_path / "tflm" / vectors).read_text()


def test_export_model_without_tflm_and_compiler_omits_the_host_test(model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("tinystride.codegen.export.tflm_is_installed", lambda: False)
    monkeypatch.setenv("PATH", "/nowhere")
    main(["export", str(model), str(tmp_path / "c")])
    assert "golden vectors and host test are left out" in capsys.readouterr().err
    assert not (tmp_path / "c" / "test").exists()
    assert "test_model" not in (tmp_path / "c" / "CMakeLists.txt").read_text()
