"""Builds a package that is nothing but its dependency, so that no build tool has to be fetched for it."""

import os
import zipfile

NAME, VERSION = "${name}_pre_commit", "$version"
FILES = {
    "METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\nRequires-Dist: $name==$version\n",
    "WHEEL": "Wheel-Version: 1.0\nGenerator: backend.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    file = f"{NAME}-{VERSION}-py3-none-any.whl"
    info = f"{NAME}-{VERSION}.dist-info"
    with zipfile.ZipFile(os.path.join(wheel_directory, file), "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(f"{info}/{name}", text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{info}/{name},,\n" for name in [*FILES, "RECORD"]))
    return file
