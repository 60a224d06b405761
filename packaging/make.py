#!/usr/bin/env python3
"""Makes all that a release brings, from the built programs and Cargo.toml.

    make.py release --binaries FOLDER --out FOLDER [--pages PROGRAM]
    make.py stamp [--check]

`release` reads FOLDER/TARGET/sidsweep of each target that is there, and writes archives with their checksums, wheels, npm
packages, Debian packages, the container's context, and the manifests of Homebrew, winget and pre-commit, from templates/.
`stamp` writes Cargo.toml's version into the files that name it; `--check` only looks. Python 3.11, and nothing but its library.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from string import Template

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PACKAGE = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]
NAME = PACKAGE["name"]
VERSION = PACKAGE["version"]
# The same bytes from the same programs: no file carries the time at which it was packed.
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", 315532800))
DOCUMENTS = ["README.md", "CHANGELOG.md", "LICENSE", "LICENSE-MIT", "LICENSE-APACHE"]


@dataclass(frozen=True)
class Target:
    """A platform, as each of the package managers calls it."""

    triple: str
    wheel: str
    npm: tuple[str, str]
    debian: str | None = None

    @property
    def program(self) -> str:
        return f"{NAME}.exe" if "windows" in self.triple else NAME

    @property
    def archive(self) -> str:
        return f"{NAME}-v{VERSION}-{self.triple}.tar.gz"

    @property
    def npm_name(self) -> str:
        return f"@{NAME}/{'-'.join(self.npm)}"


# The Linux programs are static, so that one wheel serves glibc and musl.
TARGETS = [
    Target("x86_64-unknown-linux-musl", "manylinux_2_17_x86_64.musllinux_1_1_x86_64", ("linux", "x64"), "amd64"),
    Target("aarch64-unknown-linux-musl", "manylinux_2_17_aarch64.musllinux_1_1_aarch64", ("linux", "arm64"), "arm64"),
    Target("aarch64-apple-darwin", "macosx_11_0_arm64", ("darwin", "arm64")),
    Target("x86_64-apple-darwin", "macosx_10_12_x86_64", ("darwin", "x64")),
    Target("x86_64-pc-windows-msvc", "win_amd64", ("win32", "x64")),
]

# Name, bytes, whether it can be run.
Entry = tuple[str, bytes, bool]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tar_gz(entries: list[Entry]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data, runs in entries:
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), 0o755 if runs else 0o644, EPOCH
            tar.addfile(info, io.BytesIO(data))
    return compressed(raw.getvalue())


def compressed(data: bytes) -> bytes:
    # A hundredth larger than the best, in a third of the time.
    return gzip.compress(data, compresslevel=6, mtime=0)


def zipped(entries: list[Entry]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, runs in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o100755 if runs else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return raw.getvalue()


def documents() -> list[Entry]:
    return [(name, (ROOT / name).read_bytes(), False) for name in DOCUMENTS]


def pages(program: Path) -> dict[str, bytes]:
    """The manual pages, and the completions of the shells, as the program itself writes them."""
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "man", "--dir", folder], check=True, stdout=subprocess.DEVNULL)
        for page in sorted(Path(folder).glob("*.1")):
            made[f"man/{page.name}"] = page.read_bytes()
    for shell, name in [("bash", f"{NAME}.bash"), ("zsh", f"_{NAME}"), ("fish", f"{NAME}.fish")]:
        made[f"completions/{name}"] = subprocess.run(
            [program, "completions", shell], check=True, stdout=subprocess.PIPE
        ).stdout
    return made


def wheel(target: Target, program: bytes) -> tuple[str, bytes]:
    """A wheel that holds the program and no Python, as `maturin` with `bindings = "bin"` makes one."""
    tags = "\n".join(f"Tag: py3-none-{tag}" for tag in target.wheel.split("."))
    info = f"{NAME}-{VERSION}.dist-info"
    entries: list[Entry] = [
        (f"{NAME}-{VERSION}.data/scripts/{target.program}", program, True),
        (f"{info}/METADATA", metadata().encode(), False),
        (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: packaging/make.py\nRoot-Is-Purelib: false\n{tags}\n".encode(), False),
        *((f"{info}/licenses/{name}", data, False) for name, data, _ in documents() if name.startswith("LICENSE")),
    ]

    def line(entry: Entry) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha256(entry[1]).digest()).rstrip(b"=").decode()
        return f"{entry[0]},sha256={digest},{len(entry[1])}\n"

    record = "".join(map(line, entries)) + f"{info}/RECORD,,\n"
    entries.append((f"{info}/RECORD", record.encode(), False))
    return f"{NAME}-{VERSION}-py3-none-{target.wheel}.whl", zipped(entries)


def metadata() -> str:
    licences = "".join(f"License-File: {name}\n" for name in DOCUMENTS if name.startswith("LICENSE"))
    return (
        f"Metadata-Version: 2.4\nName: {NAME}\nVersion: {VERSION}\nSummary: {PACKAGE['description']}\n"
        f"Keywords: {','.join(PACKAGE['keywords'])}\nLicense-Expression: {PACKAGE['license']}\n{licences}"
        f"Requires-Python: >=3.8\nProject-URL: Source, {PACKAGE['repository']}\n"
        "Description-Content-Type: text/markdown; charset=UTF-8; variant=GFM\n\n"
        + (ROOT / "README.md").read_text(encoding="utf-8")
    )


def npm_manifest(name: str, more: dict) -> bytes:
    manifest = {
        "name": name,
        "version": VERSION,
        "description": PACKAGE["description"],
        "license": PACKAGE["license"],
        "repository": {"type": "git", "url": f"git+{PACKAGE['repository']}.git"},
        **more,
    }
    return (json.dumps(manifest, indent=2) + "\n").encode()


def npm_platform(target: Target, program: bytes) -> bytes:
    system, processor = target.npm
    manifest = npm_manifest(target.npm_name, {"os": [system], "cpu": [processor], "preferUnplugged": True})
    texts = [entry for entry in documents() if entry[0].startswith("LICENSE")]
    entries = [("package.json", manifest, False), (f"bin/{target.program}", program, True), *texts]
    return tar_gz([(f"package/{name}", data, runs) for name, data, runs in entries])


def npm_launcher(targets: list[Target]) -> bytes:
    """The package that people name: it runs the program of the platform's package, and has no install script."""
    manifest = npm_manifest(
        NAME,
        {
            "keywords": PACKAGE["keywords"],
            "bin": {NAME: f"bin/{NAME}.js"},
            "engines": {"node": ">=18"},
            "optionalDependencies": {target.npm_name: VERSION for target in targets},
        },
    )
    launcher = (HERE / "templates/npm/launcher.js").read_bytes()
    entries = [("package.json", manifest, False), (f"bin/{NAME}.js", launcher, True), *documents()]
    return tar_gz([(f"package/{name}", data, runs) for name, data, runs in entries])


def deb(target: Target, program: bytes, made: dict[str, bytes]) -> tuple[str, bytes]:
    """A Debian package: an `ar` of two tar files, which needs no tool of Debian's."""
    share = "./usr/share"
    files: list[Entry] = [
        (f"./usr/bin/{NAME}", program, True),
        (f"{share}/doc/{NAME}/copyright", render("debian-copyright", {}), False),
        (f"{share}/doc/{NAME}/changelog.gz", compressed((ROOT / "CHANGELOG.md").read_bytes()), False),
    ]
    places = {
        f"completions/{NAME}.bash": f"{share}/bash-completion/completions/{NAME}",
        f"completions/_{NAME}": f"{share}/zsh/vendor-completions/_{NAME}",
        f"completions/{NAME}.fish": f"{share}/fish/vendor_completions.d/{NAME}.fish",
    }
    for name, data in made.items():
        if name.startswith("man/"):
            files.append((f"{share}/man/man1/{Path(name).name}.gz", compressed(data), False))
        else:
            files.append((places[name], data, False))
    size = sum(len(data) for _, data, _ in files) // 1024 + 1
    control = render("debian-control", {"architecture": target.debian, "installed_size": size})
    sums = "".join(f"{hashlib.md5(data).hexdigest()}  {name[2:]}\n" for name, data, _ in files)
    members = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", tar_gz([("./control", control, False), ("./md5sums", sums.encode(), False)])),
        ("data.tar.gz", tar_gz(sorted(files))),
    ]
    out = b"!<arch>\n"
    for name, data in members:
        out += f"{name:<16}{EPOCH:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
        out += data + b"\n" * (len(data) % 2)
    return f"{NAME}_{VERSION}-1_{target.debian}.deb", out


def render(template: str, more: dict) -> bytes:
    """A template with the release's values; one that is not known is an error."""
    values = {
        "name": NAME,
        "version": VERSION,
        "description": PACKAGE["description"],
        "short": PACKAGE["description"].split(",")[0],
        "repository": PACKAGE["repository"],
        "license": PACKAGE["license"],
        "downloads": f"{PACKAGE['repository']}/releases/download/v{VERSION}",
        **more,
    }
    text = (HERE / "templates" / template).read_text(encoding="utf-8")
    return Template(text).substitute(values).encode()


def manifests(sums: dict[str, str]) -> dict[str, bytes]:
    """What the package managers' own repositories are given: rendered only where all archives are there."""
    values = {f"sha256_{target.triple.replace('-', '_')}": sums[target.archive] for target in TARGETS}
    values["sha256_zip"] = sums[windows_zip()]
    values["windows_zip"] = windows_zip()
    made = {f"homebrew/{NAME}.rb": render("homebrew.rb", values)}
    for part in ["", ".installer", ".locale.en-US"]:
        made[f"winget/{NAME}.{NAME}{part}.yaml"] = render(f"winget/package{part}.yaml", values)
    for name in ["pyproject.toml", "backend.py", "README.md"]:
        made[f"pre-commit/{name}"] = render(f"pre-commit/{name}", values)
    made["pre-commit/.pre-commit-hooks.yaml"] = (ROOT / ".pre-commit-hooks.yaml").read_bytes()
    return made


def windows_zip() -> str:
    return f"{NAME}-v{VERSION}-x86_64-pc-windows-msvc.zip"


def release(binaries: Path, out: Path, pages_of: Path | None) -> None:
    targets = [target for target in TARGETS if (binaries / target.triple / target.program).is_file()]
    if not targets:
        sys.exit(f"{binaries}: holds no TARGET/{NAME}; the targets are {', '.join(t.triple for t in TARGETS)}")
    made = pages(pages_of) if pages_of else {}
    extras: list[Entry] = [*documents(), *((name, data, False) for name, data in made.items())]
    files: dict[str, bytes] = {}
    for target in targets:
        program = (binaries / target.triple / target.program).read_bytes()
        entries = [(target.program, program, True), *extras]
        files[target.archive] = tar_gz(entries)
        if "windows" in target.triple:
            files[windows_zip()] = zipped(entries)
        name, data = wheel(target, program)
        files[f"wheels/{name}"] = data
        files[f"npm/{NAME}-{'-'.join(target.npm)}-{VERSION}.tgz"] = npm_platform(target, program)
        if target.debian:
            name, data = deb(target, program, made)
            files[name] = data
            files[f"container/{target.debian}/{NAME}"] = program
    files[f"npm/{NAME}-{VERSION}.tgz"] = npm_launcher(targets)
    sums = {name: sha256(data) for name, data in files.items() if "/" not in name}
    files |= {f"{name}.sha256": f"{digest}  {name}\n".encode() for name, digest in sums.items()}
    files["SHA256SUMS"] = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()
    missing = [target.triple for target in TARGETS if target not in targets]
    if missing:
        print(f"no manifests: there is no program for {', '.join(missing)}", file=sys.stderr)
    else:
        files |= manifests(sums)
    for name, data in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if name.startswith("container/"):
            path.chmod(0o755)
    print(f"{out}: {len(files)} files of {NAME} {VERSION} for {len(targets)} platforms")


# The files that name the version to use, and the words before it.
STAMPED = ["README.md", "action.yml", "ci/gitlab.yml", "docs/ci.md", "docs/install.md", ".pre-commit-hooks.yaml"]
NAMED = re.compile(r"((?:sidsweep(?:@|:|==|/|_|-)|default: |such as |rev: )v?)\d+\.\d+\.\d+")


def stamp(check: bool) -> None:
    wrong = []
    for name in STAMPED:
        path = ROOT / name
        before = path.read_text(encoding="utf-8")
        after = NAMED.sub(rf"\g<1>{VERSION}", before)
        if after != before:
            wrong.append(name)
            if not check:
                path.write_text(after, encoding="utf-8")
    if check and wrong:
        sys.exit(f"{', '.join(wrong)}: names another version than Cargo.toml's {VERSION}; packaging/make.py stamp writes it")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("release", help="pack a release")
    packing.add_argument("--binaries", type=Path, required=True, help="holds TARGET/sidsweep")
    packing.add_argument("--out", type=Path, required=True)
    packing.add_argument("--pages", type=Path, help="a program that runs here: writes manual pages and completions")
    stamping = commands.add_parser("stamp", help="write the version into the files that name it")
    stamping.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.command == "release":
        release(args.binaries, args.out, args.pages)
    else:
        stamp(args.check)


if __name__ == "__main__":
    main()
