"""Inputs that anyone can build: real sources from crates.io, and repositories written by git fast-import. All leaks are made up
from a seed, and stand in `target/` only."""
import random
import shutil
import subprocess
from pathlib import Path

from measure import BENCH, HERE, QUIET

# How leaks are commonly written; each speaks of Twilio, so that no scanner has to guess.
FORMS = [
    (".env", "TWILIO_ACCOUNT_SID={ac}\nTWILIO_AUTH_TOKEN={token}\n"),
    ("sms.py", "from twilio.rest import Client\n\nclient = Client('{ac}', '{token}')\n"),
    ("settings.yaml", "twilio:\n  account_sid: {ac}\n  auth_token: {token}\n"),
    ("notify.js", "const twilio = require('twilio');\nconst client = twilio('{ac}', '{token}');\n"),
    ("application.properties", "twilio.account.sid={ac}\ntwilio.auth.token={token}\n"),
    ("Sender.java", 'class Sender {{\n  void go() {{ Twilio.init("{ac}", "{token}"); }}\n}}\n'),
    ("send.sh", "curl -X POST https://api.twilio.com/2010-04-01/Accounts/{ac}/Messages.json -u {ac}:{token}\n"),
    ("video.rb", "@client = Twilio::REST::Client.new('{sk}', '{secret}', '{ac}')\n"),
]


class Mint:
    """Values from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def hexes(self):
        return "".join(self.random.choices("0123456789abcdef", k=32))

    def letters(self):
        return "".join(self.random.choices("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", k=32))

    def leak(self, number):
        """A file's name, its text, and the secret in it."""
        name, text = FORMS[number % len(FORMS)]
        values = {"ac": "AC" + self.hexes(), "token": self.hexes(), "sk": "SK" + self.hexes(), "secret": self.letters()}
        return name, text.format(**values), values["secret" if "{secret}" in text else "token"]

    def leaks(self, count):
        return [self.leak(number) for number in range(count)]


def git(*arguments, **options):
    return subprocess.run(["git", *map(str, arguments)], env=QUIET, check=True, stdout=subprocess.PIPE, **options).stdout


def built(name, make):
    """A folder below target/bench/inputs, made once: what broke off is made again."""
    path = BENCH / "inputs" / name
    if not path.exists():
        half = path.with_name(name + ".half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        print(f"building {path}", flush=True)
        make(half)
        half.rename(path)
    return path


def sources():
    """The sources of all crates that this project is built from."""

    def make(path):
        # The config that cargo prints is not needed.
        subprocess.run(["cargo", "vendor", "--locked", "--versioned-dirs", "--quiet", path / "crates"], cwd=HERE, check=True, stdout=subprocess.DEVNULL)

    return built("sources", make) / "crates"


def tree(count):
    """Those sources with leaks in folders spread over them."""
    leaks = Mint(1).leaks(count)

    def make(path):
        shutil.copytree(sources(), path, dirs_exist_ok=True)
        folders = sorted(folder for folder in path.iterdir() if folder.is_dir())
        for number, (name, text, _) in enumerate(leaks):
            folder = folders[number * len(folders) // count] / f"service{number}"
            folder.mkdir()
            (folder / name).write_text(text)

    return built(f"tree-{count}", make), [secret for _, _, secret in leaks]


def hashes(count):
    """Nothing but hashes: sums, lock files, tables and lists, a third of the bytes in large files."""

    def make(path):
        chance = random.Random(3)
        line = {
            "md5": lambda number, value: f"{value}  ./usr/share/doc/package{number}/changelog.gz\n",
            "json": lambda number, value: f'      "etag": "{value}",\n',
            "csv": lambda number, value: f"{number},{value},{number * 7}\n",
            "js": lambda number, value: f"  '{value}',\n",
        }
        for name, write in line.items():
            for number in range(count):
                lines = 40_000 if number % 40 == 0 else 2_000
                values = (f"{chance.getrandbits(128):032x}" for _ in range(lines))
                (path / f"{number}.{name}").write_text("".join(write(at, value) for at, value in enumerate(values)))

    return built(f"hashes-{count}", make)


class Import:
    """Commits by `git fast-import`."""

    def __init__(self, path, head="refs/heads/main", parent=None):
        self.process = subprocess.Popen(["git", "-C", path, "fast-import", "--quiet"], stdin=subprocess.PIPE, env=QUIET)
        self.head, self.parent, self.count = head, parent, 0

    def commit(self, changes):
        """Changes are pairs of a path and a text, or None to delete it."""
        self.count += 1
        write = self.process.stdin.write
        write(f"commit {self.head}\ncommitter Ada <ada@example.com> {1_700_000_000 + self.count * 600} +0000\ndata 6\nchange\n".encode())
        if self.parent:
            write(f"from {self.parent}\n".encode())
            self.parent = None
        for path, text in changes:
            if text is None:
                write(f"D {path}\n".encode())
            else:
                data = text if isinstance(text, bytes) else text.encode()
                write(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")

    def done(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit("git fast-import failed")


def bare(path):
    git("init", "-q", "--bare", "-b", "main", path)


def history(commits, leaks_count):
    """A history as people write one: files of the sources above, of which each commit edits a few lines of a few files. Leaks are
    added, and taken out again ten commits later."""
    leaks = Mint(2).leaks(leaks_count)

    def make(path):
        chance = random.Random(3)
        crates = sources()
        found = (file for crate in sorted(crates.iterdir())[::6] for file in sorted(crate.rglob("*.rs")))
        files = {f"{file.relative_to(crates)}": file.read_text(errors="replace").splitlines(True) for file in found if file.is_file() and file.stat().st_size < 60_000}
        names = sorted(files)
        lines = [line for name in names[::7] for line in files[name]]
        bare(path)
        importer = Import(path)
        importer.commit((name, "".join(files[name])) for name in names)
        for number in range(1, commits):
            changes = []
            for name in chance.sample(names, chance.randint(1, 5)):
                for _ in range(chance.randint(1, 6)):
                    at = chance.randrange(len(files[name]) + 1)
                    files[name][at : at + chance.randint(0, 2)] = chance.sample(lines, chance.randint(0, 3))
                changes.append((name, "".join(files[name])))
            every = commits // leaks_count
            which, since = divmod(number, every)
            if which < leaks_count and since in (1, 11):
                name, text, _ = leaks[which]
                changes.append((f"service{which}/{name}", text if since == 1 else None))
            importer.commit(changes)
        importer.done()
        git("-C", path, "-c", "pack.threads=0", "repack", "-adfq", "--depth=50", "--window=10")

    return built(f"history-{commits}-{leaks_count}", make), [secret for _, _, secret in leaks]


def planted(repository, count):
    """A bare copy of a repository, with leaks in ten commits on a branch of their own."""
    leaks = Mint(4).leaks(count)
    name = "planted-" + "-".join(Path(repository).resolve().parts[-2:])

    def make(path):
        path.rmdir()
        git("clone", "-q", "--bare", repository, path)
        tip = git("-C", path, "rev-parse", "HEAD").decode().strip()
        importer = Import(path, "refs/heads/leaks", tip)
        for at in range(0, count, 2):
            importer.commit([(f"service{at}/{name}", text) for name, text, _ in leaks[at : at + 2]])
        importer.done()

    return built(name, make), [secret for _, _, secret in leaks]


def staged(files):
    """An index of many files, of which one is changed: it brings a leak."""
    name, text, secret = Mint(5).leak(1)

    def make(path):
        bare(path / ".git")
        git("-C", path, "config", "core.bare", "false")
        importer = Import(path)
        importer.commit((f"d{n // 2500}/e{n // 50}/f{n}.txt", f"file {n}\n") for n in range(files))
        importer.done()
        git("-C", path, "reset", "-q", "--hard")
        (path / "d1" / name).write_text(text)
        git("-C", path, "add", f"d1/{name}")

    return built(f"staged-{files}", make), [secret]


def organization(count, commits):
    """Many small repositories, of which every tenth has leaked."""
    leaks = Mint(6).leaks((count + 9) // 10)

    def make(path):
        chance = random.Random(8)
        words = "let value return client message send if else import user order".split()
        for number in range(count):
            at = path / f"r{number}.git"
            bare(at)
            importer = Import(at)
            for commit in range(commits):
                changed = range(20) if commit == 0 else [chance.randrange(20)]
                changes = [(f"src/f{file}.js", "\n".join(" ".join(chance.choices(words, k=8)) for _ in range(40))) for file in changed]
                if number % 10 == 0 and commit in (2, 5):
                    name, text, _ = leaks[number // 10]
                    changes.append((name, text if commit == 2 else None))
                importer.commit(changes)
            importer.done()

    return built(f"organization-{count}-{commits}", make), [secret for _, _, secret in leaks]
