"""What an adapter is supposed to say, for tests of what a model at Ollama says."""

from __future__ import annotations

from engine.results.chat.types import ChatMessage
from engine.results.gate.gate import Gate
from engine.results.gate.speech import Heard, Reference
from engine.results.prompts import Prompt

GO = "{{ range .Messages }}<{{ .Role }}>{{ .Content }}{{ end }}<assistant>"
ANSWERS = {f"q{number}": f"the {number}th answer here" for number in range(8)}


def reference(question: str, margin: float = 5.0, *, chat: bool = True) -> Reference:
    """What the adapter says: a token a word, each clear by a margin."""
    text = ANSWERS[question]
    words = text.split(" ")
    ends = tuple(len(" ".join(words[: n + 1])) for n in range(len(words)))
    prompt = Prompt(
        messages=(ChatMessage(role="user", content=question),) if chat else (),
        text=f"<user>{question}<assistant>",
        prompt_ids=(1, 2),
        question=question,
        reference="",
        end_id=0,
    )
    return Reference(
        prompt=prompt,
        answer=(*range(1, len(words) + 1), 0),
        logprobs=(-0.1,) * (len(words) + 1),
        margins=(margin,) * (len(words) + 1),
        text=text,
        reaches=(*ends, len(text)),
        ended=True,
    )


def gate_of(*references: Reference, heard: tuple[Heard, ...] = ()) -> Gate:
    """A gate whose base is far from its adapter."""
    gate = Gate(references, [Heard((False,) * 5, (-9.0,) * 5, "else") for _ in references])
    gate.heard = heard
    return gate
