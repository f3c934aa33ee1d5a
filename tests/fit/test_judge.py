"""The judgement, over readings of several machines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rolldeck.facts import Facts
from rolldeck.fit import Finding, Fit, Gpu, judge
from tests.fit.readings import a_host, a_version

GIB = 1024**3


def found(fit: Fit, what: str) -> Finding:
    """Return the one finding about something."""
    (item,) = [item for item in fit.findings if item.what == what]
    return item


def severities(fit: Fit) -> dict[str, str]:
    """Return how severe the worst finding about each thing is."""
    return {item.what: item.severity for item in reversed(fit.findings)}


# CUDA, driver, GPU.

TORCH = {"torch": "2.7.1+cu126"}


def test_a_driver_older_than_the_major_version_needs_blocks() -> None:
    """The one line says which package, what it wants, and what is here."""
    fit = judge(a_version(TORCH), a_host("t4-driver470"))
    assert fit.fits is False
    assert fit.line == "no: torch 2.7.1+cu126 wants driver ≥ 525.60.13, here 470.82.01"
    assert "cuda-compat" in fit.findings[0].detail


def test_a_new_driver_runs_older_cuda() -> None:
    """570 runs CUDA 12.6, 11.8 and 10.2 without a word."""
    for build in ("cu126", "cu118", "cu102"):
        host = a_host("h100-driver570")
        fit = judge(a_version(hardware__cuda=f"{build[2:4]}.{build[4]}"), host)
        assert not [item for item in fit.findings if item.host == host.driver], build


def test_a_driver_older_than_the_toolkit_but_of_its_major_version_is_a_warning() -> None:
    """Minor version compatibility: a limited set of features."""
    fit = judge(a_version(hardware__cuda="12.9"), a_host("h100-driver570"))
    item = found(fit, "CUDA")
    assert (item.severity, item.host) == ("warn", "570.86.15")
    assert "575.51.03" in item.detail


@pytest.mark.parametrize(
    ("cuda", "driver", "severity"),
    [("12.6", "525.50.01", "warn"), ("12.6", "524.99", "blocker"), ("11.8", "450.36.06", "warn"),
     ("11.8", "440.100", "blocker"), ("10.2", "440.30", "blocker"), ("13.0", "580.10", "warn"),
     ("13.0", "579.99", "blocker"), ("14.0", "580.65.06", "info")],
)  # fmt: skip
def test_only_what_is_documented_blocks(cuda: str, driver: str, severity: str) -> None:
    """NVIDIA names the branch that a major version needs; which driver of it, is a warning."""
    fit = judge(a_version(hardware__cuda=cuda), replace(a_host("h100-driver570"), driver=driver))
    drivers = [item for item in fit.findings if item.host == driver]
    assert [item.severity for item in drivers] == [severity]


def test_cuda_13_blocks_on_driver_570() -> None:
    """A lock's runtime names the CUDA, also without a build of torch."""
    packages = {"nvidia-cuda-runtime": "13.2.86"}
    fit = judge(a_version(packages, "lock"), a_host("h100-driver570"))
    drivers = [item for item in fit.findings if item.host == "570.86.15"]
    assert [item.severity for item in drivers] == ["blocker"]
    assert "≥ 580" in drivers[0].detail


def test_what_is_installed_here_decides_which_cuda_is_used() -> None:
    """Another build of the package here asks for another driver; that it differs is said."""
    fit = judge(a_version({"torch": "2.7.1+cu130"}), a_host("h100-driver570"))
    assert fit.fits is True
    item = found(fit, "torch")
    assert (item.severity, item.host) == ("warn", "2.7.1+cu126")


def test_a_gpu_that_the_toolkit_no_longer_supports_blocks() -> None:
    """CUDA 13 begins at compute capability 7.5: a V100 is out, a T4 is not."""
    facts = a_version(hardware__cuda="13.0")
    for name, capability, fits in (("V100", "7.0", False), ("T4", "7.5", None)):
        host = replace(
            a_host("t4-driver470"), driver="580.95.05", gpus=(Gpu(name, 16 * GIB, capability),)
        )
        fit = judge(facts, host)
        assert fit.fits is fits
        assert ("from compute capability 7.5 on, here V100" in fit.line) is (fits is False)


def test_a_gpu_newer_than_the_toolkit_is_a_warning() -> None:
    """Code for an older architecture may be compiled again when it runs, or not."""
    fit = judge(a_version(hardware__cuda="11.1"), a_host("h100-driver570"))
    item = found(fit, "CUDA")
    assert item.severity == "warn"
    assert "CUDA 11.8 is the first to know" in item.detail


def test_without_a_driver_it_says_so_and_goes_on() -> None:
    """A build for CUDA runs on the processor; what else is compared is compared."""
    fit = judge(a_version(TORCH, python__version="3.11.7"), a_host("no-gpu"))
    assert fit.fits is True
    item = found(fit, "torch")
    assert (item.severity, item.text) == (
        "warn",
        "torch 2.7.1+cu126 finds no GPU here: no NVIDIA driver is visible",
    )
    plain = judge(a_version({"numpy": "2.1.0"}), a_host("no-gpu"))
    assert (plain.fits, severities(plain)) == (True, {"GPU": "info"})
    assert plain.line == "yes"


def test_weights_larger_than_a_gpu_and_than_all_of_them() -> None:
    """One GPU's memory is to know, all of it a warning, and the host's own memory, too."""
    host = a_host("h100-driver570")
    assert severities(judge(a_version(TORCH), host, weights=60 * GIB)) == {}
    assert severities(judge(a_version(TORCH), host, weights=100 * GIB)) == {"weights of": "info"}
    assert severities(judge(a_version(TORCH), host, weights=200 * GIB)) == {"weights of": "warn"}
    small = judge(a_version(TORCH), a_host("no-gpu"), weights=9 * GIB)
    assert found(small, "weights of").host == "8.0 GiB"


def test_a_weaker_gpu_than_the_recorded_one() -> None:
    """Memory and number are to know, an older architecture is a warning."""
    facts = a_version(
        {"numpy": "2.1.0"},
        hardware__gpu_0="NVIDIA H100",
        hardware__gpu_1="NVIDIA H100",
        hardware__gpu_0_memory="79.6 GiB",
        hardware__gpu_0_compute_capability="9.0",
    )
    told = severities(judge(facts, a_host("t4-driver470")))
    assert told == {"compute capability": "warn", "GPU memory": "info", "GPUs": "info"}
    assert severities(judge(facts, a_host("h100-driver570"))) == {}


# Python, system, processor.


@pytest.mark.parametrize(
    ("recorded", "severity"),
    [
        ("3.11.7", None),
        ("3.11", None),
        ("3.11.2", "info"),
        ("3.10.9", "warn"),
        ("2.7.18", "blocker"),
    ],
)
def test_python(recorded: str, severity: str | None) -> None:
    """Another patch is to know, another minor version a warning, another major one blocks."""
    fit = judge(a_version(python__version=recorded), a_host("no-gpu"))
    assert severities(fit).get("Python") == severity


def test_a_required_range_of_pythons_blocks() -> None:
    """A range is a promise, not a record."""
    assert judge(a_version(python__requires=">=3.12"), a_host("no-gpu")).fits is False
    assert judge(a_version(python__requires=">=3.11"), a_host("no-gpu")).fits is True


def test_another_system_machine_and_c_library_are_warnings() -> None:
    """Names of one machine that differ between tools are one name."""
    facts = a_version(
        {"numpy": "2.1.0"}, os__type="linux", os__architecture="amd64", os__libc="glibc 2.36"
    )
    assert severities(judge(facts, a_host("no-gpu"))) == {"GPU": "info"}
    assert severities(judge(facts, a_host("t4-driver470"))) == {"C library": "warn"}
    told = severities(judge(facts, a_host("musl")))
    assert told["C library"] == "warn"
    told = severities(judge(facts, a_host("macos-arm64")))
    assert (told["OS"], told["architecture"]) == ("warn", "warn")


def test_cpu_features() -> None:
    """A recorded feature that is absent is a warning; one that a wheel cannot do without blocks."""
    facts = a_version({"numpy": "2.1.0"}, hardware__cpu_features="avx2, avx512")
    assert severities(judge(facts, a_host("no-gpu"))) == {"GPU": "info"}
    item = found(judge(facts, a_host("t4-driver470")), "CPU feature")
    assert (item.version, item.severity) == ("avx512", "warn")
    fit = judge(a_version({"polars": "1.0.0"}, "freeze"), a_host("musl"))
    assert "needs the CPU feature avx2" in fit.line
    mac = judge(facts, a_host("macos-arm64"))
    assert "CPU feature" not in severities(mac)


# Packages.


@pytest.mark.parametrize(
    ("package", "version", "severity"),
    [
        ("numpy", "2.1.0", None),
        ("numpy", "2.1", None),
        ("numpy", "2.1.3", "info"),
        ("numpy", "2.2.0", "warn"),
        ("numpy", "1.26.4", "blocker"),
        ("numpy", ">=2", None),
        ("numpy", ">=2.2", "blocker"),
        ("numpy", "unpinned", None),
        ("scikit-learn", "1.6.0", "warn"),
        ("torch", "2.7.1", None),
        ("torch", "2.7.1+cpu", "warn"),
        ("jinja2", "3.1.0", "blocker"),
        ("deb:libc6", "2.36", None),
        ("numpy", '1.26.4 if python_version < "3.10" or 2.1.0', None),
        ("numpy", '1.26.4 if sys_platform == "win32"', None),
        ("pytest", "8.0.0 in dev", None),
        ("numpy", "2.1.0 on linux-64 or 1.0.0 on osx-arm64", None),
        ("numpy", "1.0.0 on linux-64 or 2.1.0 on osx-arm64", "blocker"),
        ("pywin32", '1.0 if sys_platform == "win32" or platform_machine == "arm64"', None),
    ],
)
def test_a_package(package: str, version: str, severity: str | None) -> None:
    """What is here against what the version wants; markers are those of the interpreter."""
    fit = judge(a_version({package: version}), a_host("no-gpu"))
    own = [item for item in fit.findings if item.what == package and "GPU" not in item.detail]
    assert [item.severity for item in own] == ([severity] if severity else [])


def test_a_freeze_names_more_than_is_needed() -> None:
    """Missing tools of a freeze are a warning, missing libraries that read models block."""
    fit = judge(a_version({"black": "24.1.0", "joblib": "1.4.2"}, "freeze"), a_host("no-gpu"))
    told = severities(fit)
    assert (told["black"], told["joblib"]) == ("warn", "blocker")


def test_what_conda_installed_is_not_called_missing() -> None:
    """conda packages have no Python metadata; its name for torch is known."""
    packages = {"libblas": "3.9.0", "pytorch": "2.7.1", "openssl": "3.0.1"}
    fit = judge(a_version(packages, "lock", "conda-lock.yml"), a_host("no-gpu"))
    assert fit.fits is True
    item = next(item for item in fit.findings if "not compared" in item.detail)
    assert item.severity == "info"
    assert item.text.endswith("are not compared: 2 (libblas, openssl)")


def test_extra_packages_are_told_only_where_the_list_is_complete() -> None:
    """One line for all of them."""
    host = a_host("no-gpu")
    assert "packages" not in severities(judge(a_version({"numpy": "2.1.0"}), host))
    fit = judge(a_version({"numpy": "2.1.0"}, "lock"), host)
    assert found(fit, "packages").detail.endswith("installed here: 2 (scikit-learn, torch)")


# The whole.


def test_nothing_recorded_is_unknown_and_not_a_yes() -> None:
    """Also where only the GPU was recorded."""
    fit = judge(Facts(), a_host("no-gpu"))
    assert fit.fits is None
    assert fit.line == "unknown: environment of the version is not recorded"
    assert judge(a_version(hardware__cuda="12.6"), a_host("h100-driver570")).fits is None


def test_without_an_interpreter_only_a_blocker_decides() -> None:
    """What cannot be read is said."""
    fit = judge(a_version({"numpy": "2.1.0"}), a_host("no-python"))
    assert fit.fits is None
    assert found(fit, "Python").text == "Python was not read: there is no python3 on the path"


def test_findings_stand_worst_first_and_once() -> None:
    """Blockers, warnings, then what is only to know."""
    packages = {"numpy": "2.1.3", "scipy": "1.0.0", "scikit-learn": "1.6.0"}
    fit = judge(a_version(packages), a_host("no-gpu"))
    order = [item.severity for item in fit.findings]
    assert order == sorted(order, key=["blocker", "warn", "info"].index)
    assert len(set(fit.findings)) == len(fit.findings)
    assert (fit.count("blocker"), fit.count("warn")) == (1, 1)


def test_the_line_counts_what_it_leaves_out() -> None:
    """A yes names its first warning."""
    fit = judge(a_version({"numpy": "2.2.0", "scikit-learn": "1.6.0"}), a_host("no-gpu"))
    assert fit.line == "yes, but numpy 2.2.0 is 2.1.0 here, older (+1 more)"
