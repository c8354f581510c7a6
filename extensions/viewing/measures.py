"""What templates are handed about the measures of an aggregation."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from ..language import expressions
from ..language.aggregation import Measure
from ..language.complete import is_nullable
from ..language.contract import Contract, Field, Model
from ..language.values import EVENT
from ..text import unparsed
from . import computation
from .fields import Symbol, annotation

type Reference = Callable[[str, str], Symbol]

_ZEROS = {"integer": "0", "duration": "timedelta()"}
_ZERO_CODES = {"decimal": "Decimal(0)", "duration": "timedelta()"}
_SUBJECTS = {"integer": "Numbers", "number": "Numbers", "decimal": "Decimals", "duration": "Durations"}
_RANKS = {"integer": "int", "datetime": "datetime", "date": "date"}
# The classes of the runtime that are about values themselves.
OF_VALUES = frozenset(
    {
        *("Distinct", "First", "Last", "FirstCome", "LastCome"),
        *("DeviationOfNumbers", "DeviationOfDecimals", "DeviationOfDurations"),
    }
)
_TYPES = {
    "integer": "int",
    "number": "float",
    "decimal": "Decimal",
    "duration": "timedelta",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
}


@dataclass(frozen=True, slots=True)
class MeasureView:
    """One measure.

    Attributes:
        name: Its name.
        accumulator: Code that makes its partial result.
        value: Code of its figure, from `totals`.
        plain: Code of the same figure from all events of a `group`, as plainly as can be, for tests.
        condition: Code of the condition on `event` under which one counts, to be returned; empty for always.
    """

    name: str
    accumulator: str
    value: str
    plain: str
    condition: str


class Measures:
    """The measures of one aggregation, as code."""

    def __init__(self, contract: Contract, model: Model, reference: Reference) -> None:
        """Keep what they are about.

        Args:
            contract: The contract.
            model: The model of an event.
            reference: Gives the symbol of an enum or model from its kind and name.
        """
        self.reference = reference
        self.events = {field.name: field for field in model.fields}
        self.scope = computation.scope_of(contract, EVENT, model.fields, EVENT, total=True)

    def type_of(self, field: Field) -> str:
        """Return code of the type of a field, without its constraints."""
        return annotation(replace(field, constraints={}), self.reference, field.name).code

    def view(self, measure: Measure) -> MeasureView:
        """Return what templates are handed about a measure."""
        value = f"totals.{measure.name}.value()"
        if is_nullable(measure, self.events):
            value = f"None if totals.{measure.name}.empty else {value}"
        condition = self.condition(measure)
        return MeasureView(measure.name, self.accumulator(measure), value, self.plain(measure), condition)

    def plain(self, measure: Measure) -> str:
        """Return code of its figure from all events of a `group`, as plainly as can be."""
        field = self.events.get(measure.field)
        condition = f" if counts_in_{measure.name}(event)" if self.condition(measure) else ""
        value = f"event.{measure.field}" if field else "event"
        if field and field.kind == "datetime":
            value = f"in_utc({value})"
        values = f"[{value} for event in group{condition}]"
        kind = field.kind if field else ""
        match measure.function:
            case "count":
                return f"len({values})" if condition else "len(group)"
            case "sum" if kind == "number":
                return f"float(sum(map(Fraction, {values})))"
            case "sum" if kind in _ZERO_CODES:
                return f"sum({values}, {_ZERO_CODES[kind]})"
            case "sum":
                return f"sum({values})"
            case "mean":
                return f"mean_of_{kind}s({values})"
            case "stddev":
                return f"deviation_of_{_SUBJECTS[kind].lower()}({values})"
            case "percentile":
                numerator, denominator = _part(measure)
                return f"percentile({values}, {numerator}, {denominator})"
            case _:
                return self.plain_of_events(measure, values)

    def plain_of_events(self, measure: Measure, values: str) -> str:
        """Return the same of measures that look at which values there are."""
        match measure.function:
            case "distinct":
                return f"len({{{values[1:-1]}}})"
            case "first" | "last" if measure.by:
                pairs = values.replace("[", f"[({self.rank(measure)}, ", 1).replace(" for event", ") for event", 1)
                return f"{measure.function}_of({pairs})"
            case "first" | "last":
                return f"next({'iter' if measure.function == 'first' else 'reversed'}({values}), None)"
            case _:
                return f"{measure.function}({values}, default=None)"

    def accumulator(self, measure: Measure) -> str:
        """Return code that makes its partial result."""
        if measure.function == "count":
            return "Count()"
        kind = self.events[measure.field].kind
        if measure.function == "sum":
            return {"number": "ExactSum()", "decimal": "DecimalSum()"}.get(kind) or f"Sum({_ZEROS[kind]})"
        if measure.function == "mean":
            return f"MeanOf{kind.capitalize()}s()"
        if measure.function == "stddev":
            return f"DeviationOf{_SUBJECTS[kind]}()"
        if measure.function == "percentile":
            numerator, denominator = _part(measure)
            return f"Percentile[{_TYPES[kind]}]({_TYPES[kind]}, {numerator}, {denominator})"
        held = self.type_of(self.events[measure.field])
        if measure.function == "distinct":
            return f"Distinct[{held}]({held})"
        if measure.function in {"first", "last"}:
            name = measure.function.capitalize()
            if not measure.by:
                return f"{name}Come[{held}]({held})"
            rank = _RANKS[self.events[measure.by].kind]
            return f"{name}[{held}, {rank}]({held}, {rank})"
        return f"{'Smallest' if measure.function == 'min' else 'Largest'}[{_TYPES[kind]}]({_TYPES[kind]})"

    def rank(self, measure: Measure) -> str:
        """Return the code of what an event is ordered by."""
        code = f"event.{measure.by}"
        return f"in_utc({code})" if self.events[measure.by].kind == "datetime" else code

    def condition(self, measure: Measure) -> str:
        """Return the code of the condition under which an event counts; empty for always."""
        field = self.events.get(measure.field)
        nullable = [f"event.{measure.field} is not None"] if field and not field.required else []
        if not measure.where and not nullable:
            return ""
        tree = expressions.read(measure.where, self.scope).tree if measure.where else None
        return unparsed.condition(tree, tuple(nullable))


def _part(measure: Measure) -> tuple[int, int]:
    numerator, denominator = Decimal(str(measure.q)).as_integer_ratio()
    return numerator, 100 * denominator
