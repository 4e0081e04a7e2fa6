"""Remotes to test with, each a server process on loopback, and a repository of small files to push."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from tests.pipeline.clones import ROOT, run

BUCKET = "bucket"
FILES = {"models/stride_int8.tflite": 1, "models/c": 40}


def small_repository(folder: Path) -> Path:
    """A repository with this one's DVC settings whose models are a few kilobytes of noise, committed."""
    for name in (".dvc/config", ".dvc/.gitignore", ".gitignore", ".dvcignore"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    for name, count in FILES.items():
        for i in range(count):
            path = folder / name / f"{i}.c" if count > 1 else folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(3000))
    run(folder, "dvc", "add", "--quiet", *FILES)
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", "Models")
    return folder


@dataclass
class Remote:
    """A place to push to.

    commands: those of docs/remotes.md that set it up, with this place's names in them
    credentials: for the environment
    folder, client: where it is, or the S3 client that knows
    """

    name: str
    commands: list[str]
    credentials: dict[str, str]
    folder: Path | None = None
    client: object = None

    def set_up(self, clone: Path, **options: str) -> None:
        for command in self.commands:
            run(clone, *command.split())
        for option, value in options.items():
            run(clone, "dvc", "remote", "modify", "--local", self.name, option, value)

    def objects(self) -> dict[str, int]:
        """{name: bytes} of what has arrived."""
        if self.client:
            listed = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
            return {found["Key"]: found["Size"] for found in listed}
        found = [path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".tmp"]
        return {str(path): path.stat().st_size for path in found}

    def damage(self, name: str) -> None:
        """Change an object's content and not its size."""
        content = b"x" * self.objects()[name]
        if self.client:
            self.client.put_object(Bucket=BUCKET, Key=name, Body=content)
            return
        Path(name).chmod(0o644)
        Path(name).write_bytes(content)

    def remove(self, *names: str) -> None:
        for name in names:
            if self.client:
                self.client.delete_object(Bucket=BUCKET, Key=name)
            else:
                Path(name).unlink()


def documented(section: str, **names: str) -> list[str]:
    """Return the commands of docs/remotes.md under a heading that set up a remote, with names replaced."""
    text = (ROOT / "docs" / "remotes.md").read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    for name, other in names.items():
        assert name in text
        text = text.replace(name, other)
    return [line.partition(" #")[0] for line in text.splitlines() if line.startswith("dvc remote ")]


@contextmanager
def serving(*command: str, port: int, log: Path) -> Iterator[None]:
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for(server, port, log)
        yield
    finally:
        server.terminate()
        server.wait()


def _wait_for(server: subprocess.Popen, port: int, log: Path) -> None:
    until = time.monotonic() + 600
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{server.args[0]} does not listen: {log.read_text()[-2000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def s3_server(folder: Path) -> Iterator[Remote]:
    """An S3 server with one bucket and one user who may use it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with serving("moto_server", "-H", "127.0.0.1", "-p", str(port), port=port, log=folder / "s3.log"):
        root = {"endpoint_url": address, "region_name": "us-east-1",
                "aws_access_key_id": "root", "aws_secret_access_key": "root"}  # fmt: skip
        boto3.client("s3", **root).create_bucket(Bucket=BUCKET)
        users = boto3.client("iam", **root)
        users.create_user(UserName="walker")
        allowed = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
        )
        users.put_user_policy(UserName="walker", PolicyName="store", PolicyDocument=allowed)
        key = users.create_access_key(UserName="walker")["AccessKey"]

        own = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        yield Remote(
            "cloud",
            documented("S3", **{"s3://BUCKET": f"s3://{BUCKET}", "https://s3.example.org": address}),
            {name.upper(): value for name, value in own.items()} | {"AWS_DEFAULT_REGION": "us-east-1"},
            client=boto3.client("s3", **root | own),
        )


@contextmanager
def ssh_server(folder: Path) -> Iterator[Remote]:
    """OpenSSH's server, with a host key and a user's key made for this."""
    port, store = free_port(), folder / "store"
    for key in ("host", "user", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        # Made at boot where there is an init system.
        Path("/run/sshd").mkdir(exist_ok=True)
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    with serving(sshd, "-D", "-e", "-f", str(folder / "sshd_config"), port=port, log=folder / "ssh.log"):
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{store}"
        names = {"ssh://me@lab.example.org/srv/tinystride": url, "~/.ssh/id_ed25519": str(folder / "user")}
        yield Remote("lab", documented("SSH", **names), {}, folder=store)


@contextmanager
def folder_remote(folder: Path) -> Iterator[Remote]:
    names = {"/mnt/share/tinystride": str(folder / "share")}
    yield Remote("share", documented("Another folder", **names), {}, folder=folder / "share")
