"""What is known of RouterOS from measurements: command trees per version, and what it answered to small scripts."""

from pathlib import Path

_HERE = Path(__file__).parent
MEASURED = _HERE / "device-measured.json"  # literals, expressions, operators and scripts with RouterOS's answers
VALUES = _HERE / "values.json"  # values of enumerations that not every version has
SCHEMAS = (_HERE / "schema.json", _HERE / "manual.json")  # commands and arguments, since and until which version
