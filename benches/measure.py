"""What the benches share: running commands interleaved, and telling what each took, held and found."""
import contextlib
import os
import resource
import statistics
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
BENCH = HERE / "target" / "bench"
QUIET = dict(os.environ, GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null", NO_COLOR="1")


@dataclass
class Contender:
    """A command and what counts as having done its work."""

    name: str
    argv: list
    codes: tuple = (0,)
    note: str = ""
    environment: dict = field(default_factory=dict)
    # A value counts as found if this form of it stands in what was printed.
    shown: callable = lambda value: value
    # Undoes what a run left behind.
    before: callable = lambda: None


@dataclass
class Taken:
    """What the runs of one contender came to."""

    seconds: list
    peak: int
    found: int
    finished: bool

    @property
    def median(self):
        return statistics.median(self.seconds)


def printed(out, wanted):
    """How many of these texts stand in what was printed: in parts, since some print hundreds of megabytes."""
    sought, found, rest = [text.encode() for text in wanted], set(), b""
    out.seek(0)
    while sought and (part := out.read(4 << 20)):
        part = rest + part
        found.update(text for text in sought if text in part)
        rest = part[-max(map(len, sought)):]
    return len(found)


@contextlib.contextmanager
def only(cores):
    """What is started runs on these cores alone. A child that had to see to that itself would be a copy of this program first,
    which takes milliseconds."""
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


def once(contender, cores, wanted=()):
    """Runs it: seconds, peak memory in bytes, exit code, how many of these texts it printed, and its complaints."""
    contender.before()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, only(cores):
        begin = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in contender.argv],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, env={**QUIET, **contender.environment},
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        return seconds, usage.ru_maxrss * 1024, process.returncode, printed(out, wanted), err.read()


def forget(paths):
    """Takes files out of the page cache. What is known of folders stays known, unless the kernel lets us drop that too."""
    subprocess.run(["sync"], check=True)
    for path in paths:
        for folder, _, files in os.walk(path):
            for name in files:
                try:
                    handle = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NOFOLLOW)
                except OSError:
                    continue
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(handle)
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        pass


def compare(contenders, planted, runs, count, cold=()):
    """Runs all of them in turn, so that a noisy minute is noisy for all."""
    cores = set(sorted(os.sched_getaffinity(0))[:count])
    taken = {}
    for contender in contenders:  # Warm, and what it finds.
        _, peak, code, found, err = once(contender, cores, [contender.shown(value) for value in planted])
        taken[contender.name] = Taken([], peak, found, code in contender.codes)
        if code not in contender.codes:
            print(f"  {contender.name} ended with {code}: {err.decode(errors='replace').strip()[-300:]}", flush=True)
    for _ in range(runs):
        for contender in contenders:
            if cold:
                forget(cold)
            seconds, peak, *_ = once(contender, cores)
            taken[contender.name].seconds.append(seconds)
            taken[contender.name].peak = max(peak, taken[contender.name].peak)
    return taken


def unit(seconds):
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"


def memory(peak):
    """A process that is started here begins with this one's memory, so less than that cannot be told."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return f"{peak / 1e6:.0f} MB" if peak > own * 1.05 else f"under {own / 1e6:.0f} MB"


def table(contenders, taken, floor, planted):
    """Markdown: times and their ratio to the floor."""
    lines = ["| | median | least to most | times the floor | peak memory | found |", "|---|---|---|---|---|---|"]
    for contender in contenders:
        it = taken[contender.name]
        stopped = "" if it.finished else " (did not finish)"
        found = "" if contender.name == floor else f"{it.found} of {planted}"
        lines.append(
            f"| {contender.name}{stopped} | {unit(it.median)} | {unit(min(it.seconds))} to {unit(max(it.seconds))} "
            f"| {it.median / taken[floor].median:.2f} | {memory(it.peak)} | {found} |"
        )
    return "\n".join(lines)


def element(parent, tag, text=None, **attributes):
    made = ET.SubElement(parent, tag, {name.replace("_", "-"): str(value) for name, value in attributes.items()})
    made.text = text
    return made


def picture(width, height, label):
    """An SVG with a ground of its own, so that it reads on dark pages too."""
    svg = ET.Element("svg", {
        "xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width} {height}", "width": str(width), "height": str(height),
        "font-family": "system-ui, sans-serif", "font-size": "13", "role": "img", "aria-label": label,
    })
    element(svg, "rect", width=width, height=height, fill="#ffffff")
    return svg


def save(svg, path):
    ET.indent(svg)
    path.write_text(ET.tostring(svg, encoding="unicode") + "\n")


def put(path, mark, text):
    """Puts a text between the two comments of a page that are named so."""
    page = path.read_text()
    begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{path}: there is no {begin.strip()} with its {end}")
    path.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}")
