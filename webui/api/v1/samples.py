"""The same request in curl, Python and JavaScript, from one template for each."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CodeSample:
    """One language: ``head``, a line for each field or file, ``tail``.

    ``{url}`` is the address of the interface, ``{name}`` and ``{value}`` a field; ``quotes`` says
    how a value is written, ``shell`` or ``json``. Everything else stands there as it is.
    """

    lang: str
    label: str
    quotes: str
    head: str
    field: str
    file: str
    tail: str


SAMPLES = (
    CodeSample(
        lang="Shell",
        label="curl",
        quotes="shell",
        head=(
            'JOB=$(curl -sS --fail-with-body "{url}/jobs" '
            '-H "Authorization: Bearer $CLAPPER_TOKEN" '
            '-H "Idempotency-Key: $(uuidgen)" \\\n'
        ),
        field="  --form-string {name}={value} \\\n",
        file="  -F {name}=@{name} \\\n",
        tail=(
            "  | jq -r .url)\n"
            "# events until it is over, then the clip\n"
            'curl -sSN "$JOB/events" -H "Authorization: Bearer $CLAPPER_TOKEN"\n'
            'curl -sSL "$JOB/clip" -H "Authorization: Bearer $CLAPPER_TOKEN" -o clip.mp4\n'
        ),
    ),
    CodeSample(
        lang="Python",
        label="Python",
        quotes="json",
        head=(
            "import os, time, uuid\n"
            "import httpx\n\n"
            'token = {{"Authorization": "Bearer " + os.environ["CLAPPER_TOKEN"]}}\n'
            "fields, files = {{}}, {{}}\n"
        ),
        field="fields[{name}] = {value}\n",
        file='files[{name}] = open({name}, "rb")\n',
        tail=(
            "with httpx.Client(headers=token, timeout=60, follow_redirects=True) as clapper:\n"
            "    job = clapper.post(\n"
            '        "{url}/jobs",\n'
            "        files={{name: (None, value) for name, value in fields.items()}} | files,\n"
            '        headers={{"Idempotency-Key": str(uuid.uuid4())}},\n'
            "    ).raise_for_status().json()\n"
            '    while job["live"]:\n'
            "        time.sleep(2)\n"
            '        job = clapper.get(job["url"]).raise_for_status().json()\n'
            '    if job["clip"] is None:\n'
            '        raise SystemExit(job["error"]["detail"])\n'
            '    with open("clip.mp4", "wb") as out:\n'
            '        out.write(clapper.get(job["clip"]["url"]).raise_for_status().content)\n'
        ),
    ),
    CodeSample(
        lang="JavaScript",
        label="JavaScript",
        quotes="json",
        head=(
            'import {{ openAsBlob }} from "node:fs";\n'
            'import {{ writeFile }} from "node:fs/promises";\n\n'
            "const token = {{ Authorization: `Bearer ${{process.env.CLAPPER_TOKEN}}` }};\n"
            "const ask = async (url, more = {{}}) => {{\n"
            "  const headers = {{ ...token, ...more.headers }};\n"
            "  const answer = await fetch(url, {{ ...more, headers }});\n"
            "  if (!answer.ok) throw new Error((await answer.json()).detail);\n"
            "  return answer;\n"
            "}};\n"
            "const body = new FormData();\n"
        ),
        field="body.append({name}, {value});\n",
        file="body.append({name}, await openAsBlob({name}), {name});\n",
        tail=(
            'const headers = {{ "Idempotency-Key": crypto.randomUUID() }};\n'
            'const order = {{ method: "POST", body, headers }};\n'
            'let job = await (await ask("{url}/jobs", order)).json();\n'
            "while (job.live) {{\n"
            "  await new Promise((resolve) => setTimeout(resolve, 2000));\n"
            "  job = await (await ask(job.url)).json();\n"
            "}}\n"
            "if (!job.clip) throw new Error(job.error.detail);\n"
            "const clip = await (await ask(job.clip.url)).arrayBuffer();\n"
            'await writeFile("clip.mp4", Buffer.from(clip));\n'
        ),
    ),
)
_EXAMPLE = {"mode": "t2v", "prompt": "a paper boat sails down a rainy street", "preset": "fast"}


def write_sample(
    sample: CodeSample, url: str, fields: Mapping[str, Any], files: tuple[str, ...] = ()
) -> str:
    """Write the request with ``fields`` and a file for each role of ``files``."""
    quote = shlex.quote if sample.quotes == "shell" else _json
    lines = [sample.head.format(url=url)]
    lines += [
        sample.field.format(name=quote(name), value=quote(str(value)))
        for name, value in fields.items()
    ]
    lines += [sample.file.format(name=quote(role)) for role in files]
    return "".join([*lines, sample.tail.format(url=url)])


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def code_samples(url: str = "https://clapper.example/api/v1") -> list[dict[str, str]]:
    """Return the request of an example in each language, for the description."""
    return [
        {"lang": one.lang, "label": one.label, "source": write_sample(one, url, _EXAMPLE)}
        for one in SAMPLES
    ]
