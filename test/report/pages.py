"""What a page of the report says, read back: its tables and its figures."""

import html.parser
import re


class Page(html.parser.HTMLParser):
    """Tables by id: {"head": [...], "body": [[...]], "foot": [[...]]}.

    A cell is a number, None when it is masked, or its text.
    """

    def __init__(self, text):
        super().__init__()
        self.text, self.tables, self.drawn, self.beside = text, {}, {}, {}
        self.table = self.part = self.cell = self.key = self.beside_key = None
        self.tags = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        of = dict(attrs)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if tag == "table":
            self.table = self.tables[of.get("id", len(self.tables))] = {
                "head": [], "body": [], "foot": [], "keys": [],
                "caption": ""}
        elif tag in ("thead", "tbody", "tfoot"):
            self.part = tag[1:]
        elif tag == "tr" and self.part in ("body", "foot"):
            self.table[self.part].append([])
            if self.part == "body":
                self.table["keys"].append(of.get("data-key"))
        elif tag in ("th", "td", "caption") and self.table is not None:
            self.cell = [tag, ""]
        elif tag == "path" and of.get("id", "").startswith("m-"):
            self.drawn[of["id"][2:]] = of.get("data-q")
        elif tag == "span" and "data-q" in of:
            self.beside[of["data-key"]] = of["data-q"]

    def handle_endtag(self, tag):
        if tag == "table":
            self.table = self.part = None
        if self.cell is None or tag != self.cell[0]:
            return
        text, self.cell = self.cell[1].strip(), None
        if tag == "caption":
            self.table["caption"] = text
        elif self.part == "head":
            self.table["head"].append(text)
        else:
            self.table[self.part][-1].append(value(text))

    def handle_data(self, data):
        if self.cell is not None:
            self.cell[1] += data


def value(text):
    if text == "masked":
        return None
    if re.fullmatch(r"\d{1,3}(,\d{3})*", text):
        return int(text.replace(",", ""))
    return text


def column_sums(table, columns):
    """For each column: what rows and rest show, and the total."""
    rows = table["body"] + [r for r in table["foot"]
                            if str(r[0]).startswith("Rest")]
    total = next(r for r in table["foot"] if r[0] == "Total")
    return [(sum(r[c] or 0 for r in rows), total[c])
            for c in range(1, columns + 1)]
