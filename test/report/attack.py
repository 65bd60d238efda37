"""What a reader can work out of what a page has masked, by its own figures.

Every masked cell is an unknown of one at least. The sums of rows, columns and
of tables that count the same are equations; a host of several protocols gives
bounds. found() has the cells for which only one value is left.
"""

from fractions import Fraction

MEASURES = (2, 3, 4)  # POP3, IMAP and SMTP, of which EXPOSED is the union
EXPOSED, MAIL = 1, 5
BEFORE_TLS_1_2 = ("SSLv3", "TLSv1.0", "TLSv1.1")
ROUNDS = 60


class Unknowns:
    def __init__(self):
        self.low, self.high, self.bounds, self.sums = {}, {}, [], []

    def add(self, name, low=1):
        self.low.setdefault(name, low)
        self.high.setdefault(name, float("inf"))
        return name

    def within(self, terms, low, high):
        """low <= the terms (name or number, sign) together <= high."""
        known = sum(s * t for t, s in terms if isinstance(t, int))
        names = {}
        for t, s in terms:
            if not isinstance(t, int):
                names[t] = names.get(t, 0) + s
        if names:
            self.bounds.append((names, low - known, high - known))
            if low == high:
                self.sums.append((names, low - known))

    def equal(self, total, parts):
        self.within([(total, 1)] + [(p, -1) for p in parts], 0, 0)

    def solve(self):
        """Gauss and Jordan: what is left of the equations are equations."""
        rows = [({n: Fraction(c) for n, c in names.items()}, Fraction(k))
                for names, k in self.sums]
        for at in range(len(rows)):
            names, k = rows[at]
            if not names:
                continue
            name = min(names)
            head = names[name]
            rows[at] = names, k = ({n: c / head for n, c in names.items()},
                                   k / head)
            for i, (other, m) in enumerate(rows):
                times = other.get(name, 0)
                if i == at or not times:
                    continue
                both = {n: other.get(n, 0) - times * names.get(n, 0)
                        for n in {*other, *names}}
                rows[i] = ({n: c for n, c in both.items() if c}, m - times * k)
        self.bounds += [(n, k, k) for n, k in rows if n]

    def narrow(self):
        for names, low, high in self.bounds:
            for name, c in names.items():
                others = [sorted((d * self.low[n], d * self.high[n]))
                          for n, d in names.items() if n != name]
                ends = sorted(((low - sum(o[1] for o in others)) / c,
                               (high - sum(o[0] for o in others)) / c))
                self.low[name] = max(self.low[name], ends[0])
                self.high[name] = min(self.high[name], ends[1])

    def found(self):
        self.solve()
        before = None
        for _ in range(ROUNDS):
            if before == (self.low, self.high):
                break
            before = dict(self.low), dict(self.high)
            self.narrow()
        return {n: int(low) for n, low in self.low.items()
                if low == self.high[n] and not n.startswith("rows ")}


def cell(u, table, row, column):
    v = row[column]
    return v if v is not None else u.add(f"{table} {row[0]} {column}")


def total_of(table):
    return next(r for r in table["foot"] if r[0] == "Total")


def columns(u, name, table, number):
    rest = next((r for r in table["foot"] if str(r[0]).startswith("Rest")),
                None)
    for c in range(1, number + 1):
        parts = [cell(u, name, row, c) for row in table["body"]]
        if rest and "(" in rest[0]:  # rows that stand there only
            parts.append(u.add(f"rows {name} {c}", 0))
        u.equal(cell(u, name, total_of(table), c), parts)


def hosts(u, name, table):
    columns(u, name, table, 6)
    for row in table["body"] + [r for r in table["foot"]
                                if not str(r[0]).startswith("Rest")]:
        exposed = cell(u, name, row, EXPOSED)
        each = [cell(u, name, row, c) for c in MEASURES]
        u.within([(exposed, -1)] + [(p, 1) for p in each], 0, float("inf"))
        for p in each:
            u.within([(exposed, 1), (p, -1)], 0, float("inf"))
        u.within([(cell(u, name, row, MAIL), 1), (exposed, -1)], 0,
                 float("inf"))


def parts(u, name, table, number):
    for row in table["body"] + table["foot"]:
        if not str(row[0]).startswith("Rest"):
            u.equal(cell(u, name, row, number + 1),
                    [cell(u, name, row, c + 1) for c in range(number)])


def tls(u, tables):
    states, versions = tables["starttls"], tables["versions"]
    findings = {r[0]: r for r in tables["other-findings"]["body"]}
    parts(u, "starttls", states, 6)
    columns(u, "starttls", states, 7)
    parts(u, "versions", versions, 3)
    columns(u, "versions", versions, 4)
    for name in ("certificate-problems", "other-findings"):
        parts(u, name, tables[name], 3)
    whole = any("(" in str(r[0]) for r in states["foot"] + versions["foot"])
    for p, row in enumerate([] if whole else states["body"], 1):
        of = [cell(u, "starttls", row, c) for c in range(1, 8)]
        u.equal(cell(u, "versions", total_of(versions), p), [of[6]])
        for version in versions["body"]:
            if version[0] == "None":
                u.equal(cell(u, "versions", version, p), of[2:6])
        found = {n: cell(u, "other-findings", r, p)
                 for n, r in findings.items()}
        u.equal(found["No TLS to be had"], [of[4]])
        u.equal(found["STARTTLS broken"], of[2:4])
        u.equal(found["Obsolete TLS version"],
                [cell(u, "versions", r, p) for r in versions["body"]
                 if r[0] in BEFORE_TLS_1_2])


def found(page):
    every = {}
    for table in ("countries", "networks"):
        u = Unknowns()
        hosts(u, table, page.tables[table])
        every |= u.found()
    if "change" in page.tables:
        u = Unknowns()
        columns(u, "change", page.tables["change"], 6)
        every |= u.found()
    u = Unknowns()
    tls(u, page.tables)
    return every | u.found()
