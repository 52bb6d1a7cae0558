"""The names under which columns are known, in the languages that datasets come in."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.data.types import DatasetType

FIELDS: Final[dict[DatasetType, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "preference": (("chosen", "rejected"), ("prompt", "system", "tools")),
    "sharegpt": (("conversations",), ("system", "tools")),
    "messages": (("messages",), ("system", "tools")),
    "alpaca": (("instruction", "output"), ("input", "history", "system", "tools")),
    "prompt_completion": (("prompt", "completion"), ("history", "system", "tools")),
    "text": (("text",), ()),
}
"""The fields of each type: those it needs, and those it may have; the first type that fits."""

_INSTRUCTION = """
instruction instructions 指令 指示 命令 instruktion anweisung aufgabe instruccion instrucao
istruzione consigne инструкция 지시 지시문 talimat instructie instrukcja
"""
_CONTEXT = """
context 上下文 背景 文脈 문맥 kontext contexto contexte contesto контекст passage reference
"""
_INPUT = f"""
input inputs 输入 輸入 入力 입력 eingabe entrada entree ввод inputtext {_CONTEXT}
"""
_QUESTION = """
prompt question query q 问题 問題 提问 提問 问 題目 题目 質問 질문 질의 frage pregunta pergunta
domanda вопрос vraag pytanie soru fraga sporsmal sporgsmal kysymys cauhoi pertanyaan سؤال प्रश्न
problem questiontext userquestion userquery userprompt userinput usermessage prompttext request
human user ask utterance inputtext input inputs 输入 輸入 入力 입력 eingabe entrada source src
instruction instructions 指令 指示
"""
_LONG_TEXT = "document article dialogue passage context sentence post text content title"
_ANSWER = """
completion output answer response reply 答案 回答 答 答复 回复 回覆 回應 响应 输出 輸出 解答 応答
返答 出力 답변 대답 응답 출력 정답 antwort ausgabe respuesta resposta risposta reponse ответ
antwoord odpowiedz cevap yanit svar vastaus traloi jawaban إجابة جواب उत्तर target a solution
outputs outputtext answertext responsetext targettext expectedoutput expectedanswer modelanswer
modelresponse modeloutput correctanswer bestanswer goldanswer finalanswer botresponse airesponse
assistantresponse assistant gpt chatgpt bot tgt generation generatedtext salida saida sortie вывод
"""
_SUMMARY = "summary highlights abstract translation"
_SYSTEM = """
system systemprompt systemmessage systemcontent systemtext systeminstruction sys persona 系统
系統 系统提示 系统提示词 系统消息 systemnachricht sistema systeme система 시스템 システム
"""
_DIALOG = """
conversations conversation messages message dialog dialogs dialogue dialogues items turns chat
chats thread contents msgs conv 对话 對話 会话 消息 会話 대화 gesprach dialogo conversacion диалог
"""

_NAMES: Final = {
    "instruction": _INSTRUCTION,
    "input": f"{_INPUT} question query 问题 問題 質問 질문 frage pregunta вопрос",
    "output": f"output {_ANSWER}",
    "history": "history chathistory 历史 历史对话 歷史 verlauf historial historique история",
    "system": _SYSTEM,
    "tools": "tools functions tool availabletools availablefunctions toollist 工具 werkzeuge",
    "prompt": f"{_QUESTION} {_LONG_TEXT}",
    "completion": f"{_ANSWER} {_SUMMARY}",
    "text": """
        text content document 正文 文本 内容 內容 本文 テキスト 텍스트 본문 inhalt texte texto testo
        текст tekst metin body article passage story sentence rawtext rawcontent markdown raw code
    """,
    "chosen": "chosen chosenresponse chosenanswer responsechosen preferred accepted 选中 优选",
    "rejected": """
        rejected rejectedresponse rejectedanswer responserejected reject dispreferred 拒绝 拒选
    """,
    "conversations": _DIALOG,
    "messages": _DIALOG,
}
_LABELS = """
id ids idx index uid uuid hash type kind category lang language len length tokens score
rating url link date time timestamp label source split name
"""
_LABEL_WORDS = frozenset(_LABELS.split())


def fold(name: str) -> str:
    """Reduce a column's name to what is compared: no case, accents, blanks, ``_``, ``-``."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(one for one in letters if one not in " \t_-.\ufeff" and not _is_accent(one))


def _is_accent(letter: str) -> bool:
    """Tell whether a character only marks the one before it."""
    return unicodedata.category(letter) == "Mn"


def words_of(name: str) -> list[str]:
    """Split a column's name into its words: ``user_question (en)`` has three; letters are none."""
    for separator in "_-.()[]/（）":
        name = name.replace(separator, " ")
    return [fold(word) for word in name.split() if len(word) > 1 or not word.isascii()]


def is_label(name: str) -> bool:
    """Tell whether a column's name says that it labels its row rather than say something."""
    return not _LABEL_WORDS.isdisjoint(words_of(name))


def _ranked(field: str, names: str) -> dict[str, int]:
    """Give each name of a field its rank; the field's own name comes first."""
    return {fold(name): rank for rank, name in reversed(list(enumerate([field, *names.split()])))}


RANKS: Final[dict[str, dict[str, int]]] = {
    field: _ranked(field, names) for field, names in _NAMES.items()
}
"""For each field the folded names of columns that may hold it, the best with the lowest rank."""

CONTEXT_NAMES: Final = frozenset(fold(name) for name in f"input 输入 {_CONTEXT}".split())
"""What stands beside a question: with one of these it is an instruction with its input."""

QUESTION_NAMES: Final = frozenset(fold(name) for name in f"{_INSTRUCTION} {_QUESTION}".split())
ANSWER_NAMES: Final = frozenset(fold(name) for name in _ANSWER.split())
"""Names that leave little doubt; their words may also be found inside a longer name."""
