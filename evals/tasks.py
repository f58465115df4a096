"""Sixty tasks, as agents get them."""

from __future__ import annotations

from evals.rules import NONE, Task, absent, count, equal, has, near, one_of

_CODE = "def total(rows): return sum(r['price'] for r in rows if r['paid'])"

TASKS: tuple[Task, ...] = (
    # None: what a model does by itself, or what none of the tools can do.
    Task("arithmetic", "What is 17 times 23?", (NONE,)),
    Task("capital", "What is the capital of France?", (NONE,)),
    Task("typo", "Fix the typo in this sentence: 'I recieve mails every day.'", (NONE,)),
    Task("haiku", "Write a haiku about rain.", (NONE,)),
    Task("thanks", "Thanks, that was all for today.", (NONE,)),
    Task("rename", f"Rename rows to orders in this function: {_CODE}", (NONE,)),
    Task("mutex", "Explain in two sentences what a mutex is.", (NONE,)),
    Task("german", "How does one say 'good morning' in German?", (NONE,)),
    Task("tests", "Run the unit tests of this repository.", (NONE,)),
    Task("which-tools", "Can you make pictures here? Only say yes or no.", (NONE,)),
    # A panel.
    Task(
        "panel",
        "Ask a panel of models whether five developers should split a Django monolith of 80k lines into services.",
        ("fuse",),
        {"prompt": has("Django"), "preset": absent()},
    ),
    Task(
        "panel-budget",
        "Use the budget preset and ask a panel: PostgreSQL or SQLite for a desktop app with one user?",
        ("fuse",),
        {"preset": equal("general-budget"), "prompt": has("SQLite")},
    ),
    Task(
        "panel-named",
        "Have openai/gpt-5.2, anthropic/claude-opus-5 and google/gemini-3.1-pro-preview answer this together and "
        "compare what they say: is it wise to store money as floats?",
        ("fuse",),
        {"analysis_models": count(3), "prompt": has("float")},
    ),
    Task(
        "panel-offline",
        "Let a panel answer without searching the web: is every continuous function on [0,1] bounded, and why?",
        ("fuse",),
        {"web": equal(value=False)},
    ),
    Task(
        "panel-ceiling",
        "Ask several models at once which migration plan is safer, A (dump and restore) or B (logical replication); "
        "it must not cost more than 30 cents.",
        ("fuse",),
        {"max_cost_usd": near(0.3)},
    ),
    Task(
        "panel-full",
        "Ask a panel whether we should drop Python 3.10, and show me the whole text of every panelist.",
        ("fuse",),
        {"detail": equal("full")},
    ),
    Task(
        "panel-later",
        "Start a panel on 'should a small team write its own ORM?' and come back at once without waiting for it.",
        ("fuse",),
        {"wait_seconds": equal(0)},
    ),
    # One model.
    Task(
        "second-opinion",
        f"Ask one of OpenAI's models what is wrong with this: {_CODE}",
        ("ask",),
        {"model": has("openai")},
    ),
    Task(
        "claude",
        f"Let anthropic/claude-opus-5 review this function: {_CODE}",
        ("ask",),
        {"model": equal("anthropic/claude-opus-5")},
    ),
    Task(
        "go-on",
        "Go on from run_260101aaaaaaaaaaaa and ask it why.",
        ("ask",),
        {"continue_run": equal("run_260101aaaaaaaaaaaa")},
    ),
    Task(
        "web-domain",
        "Ask openai/gpt-5-mini what changed in Python 3.14; it is to search the web, but only python.org.",
        ("ask",),
        {"web_domains": has("python.org"), "model": equal("openai/gpt-5-mini")},
    ),
    Task(
        "searches",
        "Ask openai/gpt-5-mini for this week's news about SQLite, with at most two searches of the web.",
        ("ask",),
        {"max_searches": equal(2)},
    ),
    Task(
        "shape",
        "Ask google/gemini-3-flash-preview for the three largest cities of Peru as JSON: a list `cities` of strings.",
        ("ask",),
        {"json_schema": has("cities")},
    ),
    Task(
        "pdf", "Ask a cheap model to sum up /home/me/report.pdf.", ("ask",), {"attachments": has("/home/me/report.pdf")}
    ),
    Task(
        "short",
        "Ask openai/gpt-5-mini what TLS is, in no more than 200 tokens.",
        ("ask",),
        {"max_output_tokens": equal(200)},
    ),
    Task("flex", "Ask openai/gpt-5.2 on the flex tier to name ten rivers.", ("ask",), {"service_tier": equal("flex")}),
    Task(
        "effort",
        "Let openai/gpt-5.2 think hard about whether P equals NP could be undecidable (high effort).",
        ("ask",),
        {"reasoning_effort": one_of("high", "xhigh", "max")},
    ),
    Task(
        "rows",
        "With openai/gpt-5-nano, put each of these companies through the question 'In which country is {company}?': "
        "Siemens, Nokia, Embraer.",
        ("ask",),
        {"rows": count(3), "prompt": has("{company}")},
    ),
    Task(
        "rows-file",
        "Use openai/gpt-5-nano to translate the column `text` of every line of /data/reviews.jsonl into English.",
        ("ask",),
        {"rows_file": equal("/data/reviews.jsonl"), "prompt": has("{text}")},
    ),
    # Vectors.
    Task(
        "search",
        "With openai/text-embedding-3-small, which of these fits 'refund' best by meaning: 'money back', 'blue sky', "
        "'opening hours'?",
        ("embed", "rerank"),
        {"query": has("refund")},
    ),
    Task(
        "duplicates",
        "Find near-duplicates among these with openai/text-embedding-3-small: 'a red car', 'the car is red', 'tea'.",
        ("embed",),
        {"output": equal("similarity"), "input": count(3)},
    ),
    Task(
        "vector-file",
        "Turn the lines of /data/titles.txt into vectors with openai/text-embedding-3-small, and keep them as a file.",
        ("embed",),
        {"output": equal("file"), "input_file": equal("/data/titles.txt")},
    ),
    Task(
        "vectors",
        "Give me the numbers of the embedding of 'hello' by openai/text-embedding-3-small with 64 dimensions.",
        ("embed",),
        {"output": equal("vectors"), "dimensions": equal(64)},
    ),
    Task(
        "rerank",
        "Rerank these by relevance for 'tax' with cohere/rerank-v3.5: 'VAT rates', 'cats', 'income tax law'.",
        ("rerank",),
        {"documents": count(3), "query": has("tax")},
    ),
    Task(
        "rerank-best",
        "With cohere/rerank-v3.5 give me only the best one for 'sea': 'harbour', 'desert', 'forest', 'beach'.",
        ("rerank",),
        {"top_n": equal(1)},
    ),
    # Media.
    Task("picture", "Draw a lighthouse at dusk.", ("make",), {"kind": equal("image"), "prompt": has("lighthouse")}),
    Task(
        "pictures",
        "Make three pictures of a red fox in 16:9.",
        ("make",),
        {"count": equal(3), "aspect_ratio": equal("16:9")},
    ),
    Task(
        "speech", "Say 'The doors are closing' as an mp3.", ("make",), {"kind": equal("speech"), "format": equal("mp3")}
    ),
    Task("video", "Film waves on a beach, four seconds.", ("make",), {"kind": equal("video"), "seconds": equal(4)}),
    Task(
        "transcript",
        "What is said in /home/me/call.mp3? I need the words.",
        ("make",),
        {"kind": equal("transcript"), "attachments": has("/home/me/call.mp3")},
    ),
    Task("seeded", "Draw a paper boat with google/gemini-3.1-flash-image and seed 7.", ("make",), {"seed": equal(7)}),
    # Decisions.
    Task(
        "yes-no",
        "Decide with a probability whether this mail is spam: 'You won a prize, click here'.",
        ("decide",),
        {"questions": has("yes_no"), "state": has("prize")},
    ),
    Task(
        "choice",
        "Sort this ticket into billing, technical or other, with probabilities: 'I was charged twice.'",
        ("decide",),
        {"questions": has("choice", "billing")},
    ),
    Task(
        "decide-rows",
        "For each of these reviews decide whether it is positive, and how sure that is: 'great', 'awful', 'fine'.",
        ("decide",),
        {"rows": count(3)},
    ),
    Task(
        "decide-file",
        "Decide for all lines of /data/mails.jsonl whether they are urgent, with probabilities.",
        ("decide",),
        {"rows_file": equal("/data/mails.jsonl")},
    ),
    Task(
        "score",
        "Score from 1 to 5 how polite this is, with confidence: 'Send it now.'",
        ("decide",),
        {"questions": has("score")},
    ),
    # Models, providers, money, runs.
    Task(
        "cheap-tools",
        "Which is the cheapest model that can call tools?",
        ("list_models",),
        {"sort": equal("price"), "supports": has("tools")},
    ),
    Task(
        "vision",
        "Which models can read images for less than a dollar per million tokens?",
        ("list_models",),
        {"input_modality": equal("image"), "max_input_price": near(1)},
    ),
    Task("free", "Show me models that cost nothing.", ("list_models",), {"free": equal(value=True)}),
    Task(
        "long",
        "Which models read at least a million tokens at once?",
        ("list_models",),
        {"min_context": near(1_000_000)},
    ),
    Task("coding", "Which model is best at coding right now?", ("list_models",), {"sort": equal("coding")}),
    Task("embedders", "Which embedding models are there?", ("list_models",), {"output_modality": equal("embeddings")}),
    Task(
        "providers",
        "Who serves deepseek/deepseek-v3.2, and who is fastest?",
        ("endpoints",),
        {"model": equal("deepseek/deepseek-v3.2")},
    ),
    Task("zdr", "Which endpoints keep nothing at all of what is sent?", ("endpoints",), {"zdr": equal(value=True)}),
    Task("spent", "How much have I spent today?", ("account",), {"view": one_of(None, "", "summary")}),
    Task(
        "activity",
        "What was used on 2026-11-03, by model?",
        ("account",),
        {"view": equal("activity"), "date": equal("2026-11-03")},
    ),
    Task(
        "generation",
        "Look up generation gen-1700000000-abc.",
        ("account",),
        {"generation_id": equal("gen-1700000000-abc")},
    ),
    Task("result", "What came of run_260101bbbbbbbbbbbb?", ("run",), {"run_id": equal("run_260101bbbbbbbbbbbb")}),
    Task("latest", "List what I have asked lately and what it cost.", ("run",), {"run_id": absent()}),
    Task(
        "panel-texts",
        "Show me what each panelist of run_260101cccccccccccc wrote.",
        ("run",),
        {"run_id": equal("run_260101cccccccccccc"), "part": equal("panel")},
    ),
)
