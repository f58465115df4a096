"""Texts that a bound on tokens must hold for: languages, code, data, and random characters of every kind."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Iterator

# Article 1 of the Universal Declaration of Human Rights.
LANGUAGES = {
    "English": "All human beings are born free and equal in dignity and rights. They are endowed with reason and "
    "conscience and should act towards one another in a spirit of brotherhood.",
    "German": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen "
    "begabt und sollen einander im Geiste der Brüderlichkeit begegnen.",
    "French": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et "
    "de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
    "Spanish": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y "
    "conciencia, deben comportarse fraternalmente los unos con los otros.",
    "Polish": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni "
    "rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa.",
    "Turkish": "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler ve "
    "birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler.",
    "Vietnamese": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi. Mọi con người đều "
    "được tạo hóa ban cho lý trí và lương tâm và cần phải đối xử với nhau trong tình anh em.",
    "Finnish": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on annettu järki "
    "ja omatunto, ja heidän on toimittava toisiaan kohtaan veljeyden hengessä.",
    "Russian": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью "
    "и должны поступать в отношении друг друга в духе братства.",
    "Ukrainian": "Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом і "
    "совістю і повинні діяти у відношенні один до одного в дусі братерства.",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι "
    "με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης.",
    "Hebrew": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון, לפיכך חובה עליהם "
    "לנהוג איש ברעהו ברוח של אחוה.",
    "Arabic": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا "
    "بروح الإخاء.",
    "Persian": "تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند. همه دارای عقل و وجدان هستند "
    "و باید نسبت به یکدیگر با روح برادری رفتار کنند.",
    "Hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि "
    "और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।",
    "Bengali": "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে। তাঁদের বিবেক এবং বুদ্ধি আছে; সুতরাং সকলেরই "
    "একে অপরের প্রতি ভ্রাতৃত্বসুলভ মনোভাব নিয়ে আচরণ করা উচিত।",
    "Tamil": "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்; அவர்கள் மதிப்பிலும் உரிமைகளிலும் சமமானவர்கள்.",
    "Thai": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ",
    "Georgian": "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა და უფლებებით. მათ მინიჭებული აქვთ "
    "გონება და სინდისი და ერთმანეთის მიმართ უნდა იქცეოდნენ ძმობის სულისკვეთებით.",
    "Armenian": "Բոլոր մարդիկ ծնվում են ազատ ու հավասար իրենց արժանապատվությամբ ու իրավունքներով։ Նրանք ունեն "
    "բանականություն ու խիղճ և միմյանց պետք է եղբայրաբար վերաբերվեն։",
    "Chinese": "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。",
    "traditional Chinese": "人人生而自由,在尊嚴和權利上一律平等。他們賦有理性和良心,並應以兄弟關係的精神互相對待。",
    "Japanese": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。"
    "人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。",
    "Korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 "
    "부여받았으며 서로 형제애의 정신으로 행동하여야 한다.",
}

CODE = {
    "Python": '''def shorten(text: str, limit: int = 300) -> str:
    """Upstream's words on one line, never longer than may be quoted."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    return line[: limit - 1] + "…"
''',
    "JavaScript": "export const debounce=(f,ms=250)=>{let t;return(...a)=>{clearTimeout(t);t="
    "setTimeout(()=>f(...a),ms)}};\nfor (const [key, value] "
    "of Object.entries(options ?? {})) {\n  console.log(`${key}=${value}`);\n}\n",
    "C": "static inline uint32_t rotl32(uint32_t x, int8_t r) {\n\treturn (x << r) | (x >> (32 - r));\n}\n"
    "#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))\nint main(int argc, char **argv) { return !argv[1]; }\n",
    "SQL": "SELECT u.id, COUNT(*) AS n FROM users u LEFT JOIN orders o ON o.user_id = u.id\n"
    "WHERE o.total >= 19.99 AND u.name LIKE '%an%' GROUP BY 1 ORDER BY n DESC LIMIT 50;\n",
    "HTML": '<div class="row"><a href="/a/b?x=1&amp;y=2" style="color:#06c">Read &raquo;</a><br/>\n'
    "<!-- end -->\n</div>\n",
    "JSON": json.dumps({"id": "gen-1", "choices": [{"index": 0, "delta": {"content": "Hello"}}], "usage": None}),
    "JSON in lines": json.dumps({"model": "a/b", "prices": [0.15, 2.5e-06], "tools": [{"type": "function"}]}, indent=2),
    "LaTeX": r"\frac{\partial^{2} u}{\partial x^{2}} + \sum_{i=0}^{n} \alpha_i \leq \int_{0}^{\infty} e^{-x^2}\,dx \\ ",
    "log": "2026-11-30T04:05:06.789Z INFO [worker-3] GET /api/v1/models 200 12.4ms req=7f3a9c01 bytes=18231\n",
    "Markdown": "| model | in | out |\n|---|---:|---:|\n| `a/b` | 0.15 | 2.50 |\n\n1. **First**: "
    "see [the guide](https://e.example/x#y).\n",
    "shell": "$ curl -sS -H 'Authorization: Bearer …' \"$URL/key\" | jq '.data.limit_remaining' "
    ">>out.txt 2>&1 || exit 1\n",
    "names": "getUserAccountByEmailAddress parse_http_header_value MAX_RETRY_COUNT XMLHttpRequest "
    "utf8ToUtf16 iPhone15ProMax\n",
}

_LETTERS = string.ascii_letters
RANDOM = {
    "small letters": string.ascii_lowercase,
    "capitals": string.ascii_uppercase,
    "letters": _LETTERS,
    "letters and digits": _LETTERS + string.digits,
    "words of random letters": string.ascii_lowercase + "    ",
    "words of any letters": _LETTERS + "       ",
    "consonants": "bcdfghjklmnpqrstvwxz",
    "vowels": "aeiou",
    "light letters": "aeiounrtlsdcm",
    "rare letters": "qxzjkvw",
    "digits": string.digits,
    "digits and spaces": string.digits + "  ",
    "digits and signs": string.digits + ".,:-",
    "signs": string.punctuation,
    "signs and spaces": string.punctuation + " " * 12,
    "brackets": "()[]{}<>",
    "letters and signs": _LETTERS + string.punctuation,
    "anything printed": string.printable,
    "blanks": " \n\t\r",
    "controls": "".join(map(chr, range(32))),
    "dashes": "-_=.",
    "genes": "ACGT",
    "hex": "0123456789abcdef",
    "emoji": "".join(map(chr, range(0x1F300, 0x1F64F))),
    "common emoji": "😀😂👍🔥🎉😊🙏✨🚀",
    "flags": "".join(map(chr, range(0x1F1E6, 0x1F200))),
    "accented": "".join(map(chr, range(0xC0, 0x100))),
    "extended Latin": "".join(map(chr, range(0x100, 0x250))),
    "Greek": "".join(map(chr, range(0x3B1, 0x3CA))),
    "Cyrillic": "".join(map(chr, range(0x410, 0x450))),
    "Armenian": "".join(map(chr, range(0x561, 0x587))),
    "Hebrew": "".join(map(chr, range(0x5D0, 0x5EB))),
    "Arabic": "".join(map(chr, range(0x621, 0x64B))),
    "Devanagari": "".join(map(chr, range(0x904, 0x940))),
    "Bengali": "".join(map(chr, range(0x985, 0x9B9))),
    "Tamil": "".join(map(chr, range(0xB85, 0xBB9))),
    "Thai": "".join(map(chr, range(0xE01, 0xE3A))),
    "Georgian": "".join(map(chr, range(0x10D0, 0x10F6))),
    "Khmer": "".join(map(chr, range(0x1780, 0x17B3))),
    "Ethiopic": "".join(map(chr, range(0x1200, 0x1350))),
    "kana": "".join(map(chr, [*range(0x3041, 0x3096), *range(0x30A1, 0x30FA)])),
    "Chinese": "".join(map(chr, range(0x4E00, 0x9FA5))),
    "Korean": "".join(map(chr, range(0xAC00, 0xD7A3))),
    "arrows and boxes": "".join(map(chr, [*range(0x2190, 0x2200), *range(0x2500, 0x2580)])),
    "quotation marks and dashes": "–—‘’“”•…",
    "private characters": "".join(map(chr, range(0xE000, 0xE100))),
    "ancient": "".join(map(chr, range(0x12000, 0x12399))),
}
_RANDOM_CHARS = 500


def texts() -> Iterator[tuple[str, str]]:
    """Every text with its name, the same each time."""
    yield from LANGUAGES.items()
    yield from ((f"code: {name}", text) for name, text in CODE.items())
    chance = random.Random(20)
    yield from (
        (f"random {name}", "".join(chance.choices(alphabet, k=_RANDOM_CHARS))) for name, alphabet in RANDOM.items()
    )
    yield "random base64", base64.b64encode(chance.randbytes(375)).decode()
    yield "random bytes, replaced", chance.randbytes(500).decode("utf-8", "replace")
    yield "random escapes", json.dumps("".join(chance.choices(RANDOM["Cyrillic"], k=80)))
    yield (
        "random letter, random digit",
        "".join(chance.choice(string.ascii_lowercase) + chance.choice(string.digits) for _ in range(200)),
    )
    yield "spaces", " " * 400
    yield "empty lines", "\n" * 400
    yield "one letter", "a" * 400
    yield (
        "indented",
        "".join("\n" + " " * chance.randrange(0, 40) + chance.choice(("x", "}", "return")) for _ in range(40)),
    )
    yield "capitals", LANGUAGES["English"].upper()
    yield "no spaces", LANGUAGES["English"].replace(" ", "")
