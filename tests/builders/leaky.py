"""A home whose jobs let slip what they are told, with canaries at every entrance."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfile

from tests.builders.canaries import Aviary
from tests.builders.canteen import Canteen
from tests.builders.home import ROOT, Home
from tests.builders.sinks import Sink

_JOBS = ROOT / "tests" / "processes" / "whole_engine" / "leaks.py"
# What the jobs of `leaks` are told, beside their parameters.
_SAID = (
    *("stdout", "stderr", "subprocess", "command", "records", "notes", "answers", "sql", "effects"),
    *("results", "causes", "exceptions", "last words", "thread"),
)
_SCHEDULES = """
schedules:
  slipping:
    job: slip
    every: 5s
    missed: skip
    overlap: skip
    params: {params}
"""


class Leaky(Home):
    """A home whose jobs let slip what they are told, with canaries at every entrance."""

    def __init__(self, folder: Path, outside: Path, *servers: str) -> None:
        queue_url, database_url = servers or ("sqlite:///var/queue.db", None)
        super().__init__(folder, queue_url, database_url)
        copyfile(_JOBS, folder / "jobs" / "leaks.py")
        self.aviary = Aviary()
        self.outside = outside
        self.heard: list[Sink] = []

    def plant(self) -> None:
        """A canary of every kind at every entrance that is no command's."""
        plants = {each: self.aviary.of_every_kind(each) for each in _SAID}
        plants["locals"] = [self._secret(kind, "locals") for kind in ("password", "e-mail", "card")]
        file = self.outside / "plants.json"
        file.write_text(json.dumps(plants))
        self.answers = plants["answers"]
        self.more |= {"PLANTS": str(file), "SHOP_PASSWORD": self._secret("password", "environment")}
        self.more |= {
            f"SAID_{number}": said
            for number, said in enumerate(self.aviary.of_every_kind("environment"))
        }
        url = f"postgresql://me:{self._secret('password', 'a URL')}@127.0.0.1:1/bank"
        self.more["ENGINE_SOURCES__BANK"] = url
        (self.folder / ".env").write_text(
            f"ENGINE_SECRET_VAR_BANK={self._secret('password', '.env')}\n"
            f"GATEWAY_API_KEY={self._secret('api key', '.env')}\n"
        )
        facts = {
            "pin": int(self.aviary.number("schedules.yaml").secret),
            "to": self.aviary.of_every_kind("schedules.yaml"),
        }
        params = json.dumps({**self.params("schedules.yaml"), "facts": facts})
        (self.folder / "schedules.yaml").write_text(_SCHEDULES.format(params=params))
        self._plant_in_a_source()

    def params(self, entrance: str) -> dict[str, object]:
        """Parameters of `slip`."""
        return {
            "notes": "\n".join(self.aviary.of_every_kind(entrance)),
            "password": self._secret("password", entrance),
            "contact": f"Noura, {self._secret('abroad', entrance)}",
            "key_of_bank": "${secret:BANK}",
            "pin": int(self.aviary.number(entrance).secret),
        }

    def tell(self, *arguments: str) -> int:
        """Run a command, whose output is a sink; its exit code."""
        done = self.run(*arguments)
        name = f"engine {' '.join(arguments[:2])}"
        self.heard.append((name, (done.stdout + done.stderr).encode()))
        return done.returncode

    def said_at_once(self, entrance: str) -> str:
        """One text with a canary of every kind."""
        return " | ".join(self.aviary.of_every_kind(entrance))

    @property
    def entrances(self) -> list[Path]:
        """The files that people write secrets into."""
        names = ("schedules.yaml", ".env", "reconciliations/wallets.yaml")
        return [self.folder / name for name in names]

    def _secret(self, kind: str, entrance: str) -> str:
        return self.aviary.new(kind, entrance).secret

    def _plant_in_a_source(self) -> None:
        canteen = Canteen(self.outside)
        said = self.aviary.of_every_kind("source")
        canteen.wallets(*((number, each, 0) for number, each in enumerate(said)))
        title = f"title: Wallets {self.aviary.new('e-mail', 'reconciliation').said}"
        canteen.define(change=lambda text: text.replace("title: Wallets", title))
        self.more["ENGINE_SOURCES__CANTEEN"] = f"sqlite:///{canteen.path}"
        (self.folder / "reconciliations").mkdir()
        copyfile(self.outside / "reconciliations" / "wallets.yaml", self.entrances[-1])


@contextmanager
def a_shop(answers: Sequence[str]) -> Iterator[str]:
    """A server that fails, and says why; its URL."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = answers[int(self.path[1:])]
            self.send_response(500, "No")
            self.send_header("X-Why", said)
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
