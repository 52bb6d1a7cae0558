# ruff: noqa: E501 (texts are easier to read in one line)
"""Make the sample datasets that an editor cannot: tables, packed files, other encodings.

Run it from the repository: ``python docs/make_samples.py``. It writes the same bytes each time with
the same pyarrow.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

FOLDER = Path(__file__).parent.parent / "sample_datasets"

ALPACA = [
    ("Which file formats does LoRADeck read?", "JSON, JSONL, CSV, TSV, Parquet, Arrow, text and Markdown; each text format also as .gz and .zst."),
    ("Do I have to tell LoRADeck the format of my file?", "No. It looks at the content; the file's name is only a hint."),
    ("May a CSV cell hold several lines?", "Yes, in quotes:\n\"like this\",\nand commas too."),
    ("What happens to a row that cannot be read?", "It is counted, and shown with its line and the reason. The other rows are not touched."),
    ("Does LoRADeck change my file?", "Never. What you edit in the dashboard is saved as a new version in LoRADeck's own folder."),
    ("How large may a dataset be?", "As large as your disk: rows are read one after the other, and never all at once."),
]  # fmt: skip
CHINESE = [
    ("LoRADeck 能读哪些文件？", "JSON、JSONL、CSV、TSV、Parquet、Arrow、纯文本和 Markdown，压缩成 .gz 或 .zst 也可以。"),
    ("文件的编码要自己选吗？", "不用。UTF-8、UTF-16、GB18030 等编码会自动认出来。"),
    ("列名不是 instruction 和 output 怎么办？", "LoRADeck 会按列名和内容猜出对应关系，给你看，你也可以自己改。"),
    ("有一行读不了怎么办？", "那一行会被记下来，告诉你第几行、什么原因，其余的行照常读。"),
    ("原来的文件会被改动吗？", "不会。修改后的内容另存为新的版本。"),
]  # fmt: skip
BAKING = [
    ("How warm should the water for yeast be?", "About 35 °C: warm to the finger, not hot."),
    ("How long does the dough rest?", "An hour at room temperature, or overnight in the fridge."),
    ("Why is my crust pale?", "The oven was not hot enough. Heat it to 240 °C for half an hour first."),
    ("Can I bake without a stone?", "Yes. Turn a heavy tray over and heat it with the oven."),
    ("How do I know that bread is done?", "Knock on its bottom: it sounds hollow."),
]  # fmt: skip


def main() -> None:
    """Write all files."""
    alpaca = [{"instruction": q, "input": "", "output": a} for q, a in ALPACA]
    chat = [{"messages": turns(q, a), "topic": "baking"} for q, a in BAKING]
    pairs = [{"prompt": q, "completion": " " + a} for q, a in BAKING]
    write("alpaca_example.csv", table(alpaca).encode())
    write("alpaca_utf16.csv", table(alpaca).encode("utf-16"))
    write(
        "columns_zh_gb18030.csv",
        table([{"问题": q, "答案": a} for q, a in CHINESE]).encode("gb18030"),
    )
    write(
        "question_answer.tsv",
        table([{"question": q, "answer": a} for q, a in BAKING], "\t").encode(),
    )
    pq.write_table(pa.Table.from_pylist(alpaca), FOLDER / "alpaca_example.parquet")
    feather.write_feather(pa.Table.from_pylist(chat), FOLDER / "messages_example.arrow")
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chat)
    write("messages_example.jsonl.gz", gzip.compress(lines.encode(), mtime=0))
    whole = json.dumps({"version": 1, "data": pairs}, ensure_ascii=False, indent=1)
    write("prompt_completion.json.zst", pa.compress(whole.encode(), "zstd", asbytes=True))


def turns(question: str, answer: str) -> list[dict[str, str]]:
    """Make a conversation of a question and its answer."""
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def table(rows: list[dict[str, Any]], delimiter: str = ",") -> str:
    """Write rows as CSV with Windows line ends, as most programs do."""
    out = io.StringIO()
    to = csv.DictWriter(out, rows[0], delimiter=delimiter)
    to.writeheader()
    to.writerows(rows)
    return out.getvalue()


def write(name: str, data: bytes) -> None:
    """Write a file."""
    (FOLDER / name).write_bytes(data)


if __name__ == "__main__":
    main()
